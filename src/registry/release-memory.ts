/**
 * Gives the memory of a buffer back at once, which nobody may use afterwards. V8 sees little of a buffer but the small
 * object that stands for it, and collects them only when 64 MB have piled up behind (kExternalAllocationSoftLimit):
 * a download of 500 MB that keeps nothing would make the process 80 MB larger.
 *
 * A buffer that shares its memory with others is left alone.
 */
export function releaseMemory({ buffer, byteOffset, byteLength }: Buffer): void {
  if (!(buffer instanceof ArrayBuffer) || byteOffset !== 0 || byteLength !== buffer.byteLength) return;
  buffer.transfer(0);
}
