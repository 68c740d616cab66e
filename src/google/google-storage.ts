import type { Log } from '../job/log';
import { ActionError } from '../values/errors';
import { show } from '../values/show';
import { type ApiError, isMissing } from './api-error';
import type { Clients } from './clients';
import { type Clock, systemClock } from './clock';
import { type Call, explainApiError } from './failures';
import type { InstanceName } from './google-compute';
import { change, type Send } from './mutation';
import { OPERATION_LIMIT_MS, type Waiting } from './operations';
import { pages, read, reading, wait, write } from './reading';
import type { Disk, Labels, NewDisk, NewSnapshot, SchedulePolicy, Snapshot, Storage } from './storage';
import { readDisk, readPolicy, readSnapshot, writeDisk, writePolicy } from './storage-messages';

/** The first snapshot of a disk takes minutes for each 100 GB; a workflow's job ends after six hours. */
const SNAPSHOT_LIMIT_MS = 3 * 60 * 60_000;
/** Between two looks at a snapshot. */
const LOOK_MS = 1_000;

/** Disks, snapshots and schedules in the Compute API, through Google's own clients. */
export function googleStorage(
  name: InstanceName,
  clients: Clients,
  { log, clock = systemClock }: { log: Log; clock?: Clock },
): Storage {
  return new GoogleStorage(name, clients, { log, clock, operationLimitMs: OPERATION_LIMIT_MS });
}

class GoogleStorage implements Storage {
  readonly #name: InstanceName;
  readonly #zone: { readonly project: string; readonly zone: string };
  readonly #region: { readonly project: string; readonly region: string };
  readonly #clients: Clients;
  readonly #context: Waiting;

  constructor(name: InstanceName, clients: Clients, context: Waiting) {
    const { project, zone } = name;
    this.#name = name;
    this.#zone = { project, zone };
    this.#region = { project, region: zone.replace(/-[a-z]$/, '') };
    this.#clients = clients;
    this.#context = context;
  }

  async getDisk(name: string): Promise<Disk | null> {
    const call = this.#call(`reading disk ${name}`, 'compute.disks.get');
    const request = { ...this.#zone, disk: name };
    const answer = await this.#read(call, () => this.#clients.disks().get(request, read()));
    return answer && readDisk(answer[0]);
  }

  async listDisks(): Promise<readonly Disk[]> {
    const call = this.#call(`listing the disks of zone ${this.#zone.zone}`, 'compute.disks.list');
    const found = await pages(
      call,
      (page) => this.#clients.disks().list({ ...this.#zone, ...page }, { ...read(), autoPaginate: false }),
      this.#context,
    );
    return found.map(readDisk);
  }

  async insertDisk(disk: NewDisk): Promise<boolean> {
    const call = this.#call(`making disk ${disk.name} from ${disk.snapshot}`, 'compute.disks.create');
    const diskResource = writeDisk(disk, this.#zone);
    const error = await this.#inZone(call, (requestId) =>
      this.#clients.disks().insert({ ...this.#zone, requestId, diskResource }, write()),
    );
    return isDone(error, call, 409);
  }

  async setDiskLabels(disk: Disk, labels: Labels): Promise<boolean> {
    const call = this.#call(`labelling disk ${disk.name}`, 'compute.disks.setLabels');
    const zoneSetLabelsRequestResource = { labels, labelFingerprint: disk.labelFingerprint };
    const request = { ...this.#zone, resource: disk.name, zoneSetLabelsRequestResource };
    const error = await this.#inZone(call, (requestId) =>
      this.#clients.disks().setLabels({ ...request, requestId }, write()),
    );
    return isDone(error, call, 412, 404);
  }

  async attachDisk(disk: string, device: string): Promise<void> {
    const call = this.#call(`attaching disk ${disk}`, 'compute.instances.attachDisk');
    const source = `projects/${this.#zone.project}/zones/${this.#zone.zone}/disks/${disk}`;
    const attachedDiskResource = { source, deviceName: device, autoDelete: false };
    const error = await this.#inZone(call, (requestId) =>
      this.#clients.instances().attachDisk({ ...this.#name, requestId, attachedDiskResource }, write()),
    );
    isDone(error, call);
  }

  async detachDisk(device: string): Promise<void> {
    const call = this.#call(`detaching disk ${device}`, 'compute.instances.detachDisk');
    const error = await this.#inZone(call, (requestId) =>
      this.#clients.instances().detachDisk({ ...this.#name, requestId, deviceName: device }, write()),
    );
    isDone(error, call);
  }

  async addPolicy(disk: string, policy: string): Promise<void> {
    const call = this.#call(
      `adding the snapshot schedule ${policy} to disk ${disk}`,
      'compute.disks.addResourcePolicies',
    );
    const disksAddResourcePoliciesRequestResource = { resourcePolicies: [this.#policyPath(policy)] };
    const request = { ...this.#zone, disk, disksAddResourcePoliciesRequestResource };
    const error = await this.#inZone(call, (requestId) =>
      this.#clients.disks().addResourcePolicies({ ...request, requestId }, write()),
    );
    isDone(error, call);
  }

  async removePolicy(disk: string, policy: string): Promise<void> {
    const call = this.#call(
      `taking the snapshot schedule ${policy} from disk ${disk}`,
      'compute.disks.removeResourcePolicies',
    );
    const disksRemoveResourcePoliciesRequestResource = { resourcePolicies: [this.#policyPath(policy)] };
    const request = { ...this.#zone, disk, disksRemoveResourcePoliciesRequestResource };
    const error = await this.#inZone(call, (requestId) =>
      this.#clients.disks().removeResourcePolicies({ ...request, requestId }, write()),
    );
    // A disk that is gone has none.
    isDone(error, call, 404);
  }

  async createSnapshot(
    disk: string,
    snapshot: NewSnapshot,
    onTaken: () => void = () => undefined,
  ): Promise<Snapshot> {
    const call = this.#call(`taking a snapshot of disk ${disk}`, 'compute.disks.createSnapshot');
    const request = { ...this.#zone, disk, snapshotResource: snapshot };
    const context = { ...this.#context, operationLimitMs: SNAPSHOT_LIMIT_MS };
    let isOver = false;
    const looking = this.#watch(snapshot.name, () => isOver, onTaken);
    const error = await change(
      call,
      (requestId) => this.#clients.disks().createSnapshot({ ...request, requestId }, write()),
      (operation, ms) => this.#clients.zoneOperations().wait({ ...this.#zone, operation }, wait(ms)),
      context,
    ).finally(() => {
      isOver = true;
    });
    await looking;
    isDone(error, call);
    return this.#untilReady(snapshot.name, call);
  }

  /** Looks at a snapshot that is being taken, until its moment has passed. */
  async #watch(name: string, isOver: () => boolean, onTaken: () => void): Promise<void> {
    while (!isOver()) {
      await this.#context.clock.sleep(LOOK_MS);
      const found = await this.getSnapshot(name).catch(() => null);
      if (found?.status === 'UPLOADING' || found?.status === 'READY') return onTaken();
    }
  }

  async #untilReady(name: string, call: Call): Promise<Snapshot> {
    const { clock } = this.#context;
    const start = clock.now();
    for (;;) {
      const found = await this.getSnapshot(name);
      if (found?.status === 'READY') return found;
      if (found === null || found.status === 'FAILED' || clock.now() - start > SNAPSHOT_LIMIT_MS)
        throw new ActionError('The snapshot did not become ready', {
          doing: call.doing,
          happened: `its state is ${show(found?.status ?? 'gone')}`,
          next: `Look at it (gcloud compute snapshots describe ${name}), and run again`,
        });
      await clock.sleep(LOOK_MS);
    }
  }

  async getSnapshot(name: string): Promise<Snapshot | null> {
    const call = this.#call(`reading snapshot ${name}`, 'compute.snapshots.get');
    const request = { project: this.#zone.project, snapshot: name };
    const answer = await this.#read(call, () => this.#clients.snapshots().get(request, read()));
    return answer && readSnapshot(answer[0]);
  }

  async listSnapshots(labels: Labels): Promise<readonly Snapshot[]> {
    const { project } = this.#zone;
    const call = this.#call(`listing the snapshots of project ${project}`, 'compute.snapshots.list');
    const filter = Object.entries(labels)
      .map(([key, value]) => `(labels.${key} = "${value}")`)
      .join(' ');
    const found = await pages(
      call,
      (page) =>
        this.#clients.snapshots().list({ project, filter, ...page }, { ...read(), autoPaginate: false }),
      this.#context,
    );
    return found.map(readSnapshot);
  }

  async deleteSnapshot(name: string): Promise<boolean> {
    const { project } = this.#zone;
    const call = this.#call(`deleting snapshot ${name}`, 'compute.snapshots.delete');
    const error = await change(
      call,
      (requestId) => this.#clients.snapshots().delete({ project, snapshot: name, requestId }, write()),
      (operation, ms) => this.#clients.globalOperations().wait({ project, operation }, wait(ms)),
      this.#context,
    );
    return isDone(error, call, 404);
  }

  async getPolicy(name: string): Promise<SchedulePolicy | null> {
    const call = this.#call(`reading the snapshot schedule ${name}`, 'compute.resourcePolicies.get');
    const request = { ...this.#region, resourcePolicy: name };
    const answer = await this.#read(call, () => this.#clients.resourcePolicies().get(request, read()));
    return answer && readPolicy(answer[0]);
  }

  async insertPolicy(policy: SchedulePolicy): Promise<boolean> {
    const call = this.#call(`making the snapshot schedule ${policy.name}`, 'compute.resourcePolicies.create');
    const resourcePolicyResource = writePolicy(policy);
    const error = await this.#inRegion(call, (requestId) =>
      this.#clients
        .resourcePolicies()
        .insert({ ...this.#region, requestId, resourcePolicyResource }, write()),
    );
    return isDone(error, call, 409);
  }

  async patchPolicy(policy: SchedulePolicy): Promise<void> {
    const call = this.#call(
      `changing the snapshot schedule ${policy.name}`,
      'compute.resourcePolicies.update',
    );
    const request = {
      ...this.#region,
      resourcePolicy: policy.name,
      resourcePolicyResource: writePolicy(policy),
    };
    const error = await this.#inRegion(call, (requestId) =>
      this.#clients.resourcePolicies().patch({ ...request, requestId }, write()),
    );
    isDone(error, call);
  }

  async deletePolicy(name: string): Promise<boolean> {
    const call = this.#call(`deleting the snapshot schedule ${name}`, 'compute.resourcePolicies.delete');
    const request = { ...this.#region, resourcePolicy: name };
    const error = await this.#inRegion(call, (requestId) =>
      this.#clients.resourcePolicies().delete({ ...request, requestId }, write()),
    );
    return isDone(error, call, 404);
  }

  #policyPath(name: string): string {
    return `projects/${this.#region.project}/regions/${this.#region.region}/resourcePolicies/${name}`;
  }

  #inZone(call: Call, send: Send): Promise<ApiError | null> {
    return change(
      call,
      send,
      (operation, ms) => this.#clients.zoneOperations().wait({ ...this.#zone, operation }, wait(ms)),
      this.#context,
    );
  }

  #inRegion(call: Call, send: Send): Promise<ApiError | null> {
    return change(
      call,
      send,
      (operation, ms) => this.#clients.regionOperations().wait({ ...this.#region, operation }, wait(ms)),
      this.#context,
    );
  }

  #read<T>(call: Call, work: () => Promise<T>): Promise<T | null> {
    return reading(call, work, this.#context, isMissing);
  }

  #call(doing: string, permission: string): Call {
    return { doing, permission, project: this.#zone.project };
  }
}

/**
 * Whether a change was made; false where it ended with one of the states that say it need not, or cannot any more.
 *
 * @throws ActionError for every other error
 */
function isDone(error: ApiError | null, call: Call, ...expected: readonly number[]): boolean {
  if (error === null) return true;
  if (expected.includes(error.status ?? 0)) return false;
  throw explainApiError(error, call);
}
