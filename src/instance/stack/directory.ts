/** Directory of everything that is ours on the instance. */
export const STACK_DIRECTORY = '/etc/gce-registry';
