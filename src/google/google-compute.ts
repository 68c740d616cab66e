import type { Log } from '../job/log';
import { ActionError } from '../values/errors';
import { type ApiError, isMissing } from './api-error';
import type { Clients } from './clients';
import { type Clock, systemClock } from './clock';
import { type Compute, type FirewallRule, type Instance, RULE_EXISTS } from './compute';
import { type Call, explainApiError, unexpectedAnswer } from './failures';
import { requireRoomForMetadata, requireRoomForTags } from './limits';
import { change, type Send } from './mutation';
import { OPERATION_LIMIT_MS, type Waiting } from './operations';
import { pages, read, reading, wait, write } from './reading';
import { readInstance, readRule, writeRule } from './resources';
import { turnAway } from './retries';

/** The instance that a run is about. */
export interface InstanceName {
  readonly project: string;
  readonly zone: string;
  readonly instance: string;
}

/**
 * Time to win against others who change the same tags or metadata. Google takes one change after the other, of some 5 s
 * each: this is enough for thirty runs at once that each put their key in and take it out again.
 */
const CONFLICT_LIMIT_MS = 300_000;

/**
 * The Compute API, through Google's own clients.
 *
 * @param clients see computeClients
 * @param operationLimitMs longest that an operation may take
 */
export function googleCompute(
  name: InstanceName,
  clients: Clients,
  {
    log,
    clock = systemClock,
    operationLimitMs = OPERATION_LIMIT_MS,
  }: { log: Log; clock?: Clock; operationLimitMs?: number },
): Compute {
  return new GoogleCompute(name, clients, { log, clock, operationLimitMs });
}

class GoogleCompute implements Compute {
  readonly #name: InstanceName;
  readonly #clients: Clients;
  readonly #context: Waiting;
  /** Last read, for its fingerprints: a stale one costs one more try, a fresh one spares a call. */
  #known: Instance | null = null;

  constructor(name: InstanceName, clients: Clients, context: Waiting) {
    this.#name = name;
    this.#clients = clients;
    this.#context = context;
  }

  async getInstance(): Promise<Instance> {
    const call = this.#instanceCall('reading', 'compute.instances.get');
    const answer = await reading(
      call,
      () => this.#clients.instances().get(this.#name, read()),
      this.#context,
    );
    const instance = answer && readInstance(answer[0], this.#name);
    if (instance === null) throw unexpectedAnswer(call.doing, 'the answer is no instance');
    this.#known = instance;
    return instance;
  }

  async editTags(edit: (tags: readonly string[]) => readonly string[]): Promise<void> {
    const call = this.#instanceCall('setting the network tags of', 'compute.instances.setTags');
    await this.#editInstance(call, ({ tags }) => {
      const items = [...edit(tags.items)];
      if (sameItems(items, tags.items)) return null;
      if (items.length > tags.items.length) requireRoomForTags(this.#name.instance, items);
      return (requestId) =>
        this.#clients
          .instances()
          .setTags(
            { ...this.#name, requestId, tagsResource: { items, fingerprint: tags.fingerprint } },
            write(),
          );
    });
  }

  async editMetadata(key: string, edit: (value: string | null) => string | null): Promise<void> {
    const call = this.#instanceCall(`setting the metadata entry ${key} of`, 'compute.instances.setMetadata');
    await this.#editInstance(call, ({ metadata }) => {
      const present = metadata.items.find((item) => item.key === key)?.value ?? null;
      const wanted = edit(present);
      if (wanted === present) return null;
      const others = metadata.items.filter((item) => item.key !== key);
      const items = wanted === null ? others : [...others, { key, value: wanted }];
      if ((wanted?.length ?? 0) > (present?.length ?? 0))
        requireRoomForMetadata(this.#name.instance, key, items);
      return (requestId) =>
        this.#clients
          .instances()
          .setMetadata(
            { ...this.#name, requestId, metadataResource: { items, fingerprint: metadata.fingerprint } },
            write(),
          );
    });
  }

  async getGuestAttributes(path: string): Promise<readonly { key: string; value: string }[] | null> {
    const call = this.#instanceCall(
      'reading the guest attributes of',
      'compute.instances.getGuestAttributes',
    );
    const answer = await reading(
      call,
      () => this.#clients.instances().getGuestAttributes({ ...this.#name, queryPath: path }, read()),
      this.#context,
      isMissing,
    );
    if (answer === null) return null;
    const items = answer[0].queryValue?.items ?? [];
    return items.map(({ key, value }) => ({ key: key ?? '', value: value ?? '' }));
  }

  async listFirewallRules(project: string): Promise<readonly FirewallRule[]> {
    const doing = `listing the firewall rules of project ${project}`;
    const call = { doing, project, permission: 'compute.firewalls.list' };
    const found = await pages(
      call,
      (page) => this.#clients.firewalls().list({ project, ...page }, { ...read(), autoPaginate: false }),
      this.#context,
    );
    return found.map(readRule);
  }

  async insertFirewallRule(project: string, rule: FirewallRule): Promise<void> {
    refuseOpenRule(rule, rule.name);
    const call = ruleCall('adding', project, rule.name, 'compute.firewalls.create');
    const error = await this.#changeRule(project, call, (requestId) =>
      this.#clients.firewalls().insert({ project, requestId, firewallResource: writeRule(rule) }, write()),
    );
    if (error) throw error.status === 409 ? alreadyExists(call) : explainApiError(error, call);
  }

  async patchFirewallRule(project: string, name: string, fields: Partial<FirewallRule>): Promise<void> {
    if (Object.keys(fields).length === 0) return;
    if (fields.sourceRanges) refuseOpenRule(fields, name);
    const call = ruleCall('changing', project, name, 'compute.firewalls.update');
    const error = await this.#changeRule(project, call, (requestId) =>
      this.#clients
        .firewalls()
        .patch({ project, firewall: name, requestId, firewallResource: writeRule(fields) }, write()),
    );
    if (error) throw explainApiError(error, call);
  }

  async deleteFirewallRule(project: string, name: string): Promise<boolean> {
    const call = ruleCall('deleting', project, name, 'compute.firewalls.delete');
    const error = await this.#changeRule(project, call, (requestId) =>
      this.#clients.firewalls().delete({ project, firewall: name, requestId }, write()),
    );
    if (error && !isMissing(error)) throw explainApiError(error, call);
    return error === null;
  }

  /**
   * Reads, edits and writes the instance until nobody else was faster. `edit` returns what sends the change, or
   * null when there is nothing to change.
   */
  async #editInstance(call: Call, edit: (instance: Instance) => Send | null): Promise<void> {
    const { project, zone } = this.#name;
    const start = this.#context.clock.now();
    for (let losses = 1; ; losses++) {
      const send = edit(this.#known ?? (await this.getInstance()));
      if (send === null) return;
      const error = await change(
        call,
        send,
        (operation, ms) => this.#clients.zoneOperations().wait({ project, zone, operation }, wait(ms)),
        this.#context,
      );
      // The fingerprint is used up by a success, and stale after a conflict.
      this.#known = null;
      if (error === null) return;
      if (error.status !== 412) throw explainApiError(error, call);
      if (this.#context.clock.now() - start > CONFLICT_LIMIT_MS) throw conflict(call);
      this.#context.log.info(
        `Somebody else changed the instance at the same time: ${call.doing} once more, ` +
          `for at most ${CONFLICT_LIMIT_MS / 1000} s in all`,
      );
      await this.#context.clock.sleep(turnAway(losses));
    }
  }

  #changeRule(project: string, call: Call, send: Send): Promise<ApiError | null> {
    return change(
      call,
      send,
      (operation, ms) => this.#clients.globalOperations().wait({ project, operation }, wait(ms)),
      this.#context,
    );
  }

  #instanceCall(verb: string, permission: string): Call {
    const { project, instance } = this.#name;
    return { doing: `${verb} instance ${instance}`, project, permission };
  }
}

function ruleCall(verb: string, project: string, rule: string, permission: string): Call {
  return { doing: `${verb} firewall rule ${rule} of project ${project}`, project, permission };
}

/** The last line of defence: Google turns a rule without any source into one for 0.0.0.0/0. */
function refuseOpenRule(rule: Partial<FirewallRule>, name: string): void {
  if (rule.direction === 'EGRESS' || (rule.sourceRanges ?? []).length > 0) return;
  throw new ActionError('A firewall rule without a source was refused', {
    doing: `writing firewall rule ${name}`,
    happened: 'it names no source, which Google takes as the whole internet',
    next: 'Report this as a bug of the action; nothing was changed',
  });
}

function alreadyExists({ doing }: Call): ActionError {
  return new ActionError(
    'The firewall rule exists already',
    {
      doing,
      happened: 'somebody else added a rule of this name in the meantime',
      next: 'Run again: the rule is then compared and changed where it differs',
    },
    { code: RULE_EXISTS },
  );
}

function conflict({ doing }: Call): ActionError {
  return new ActionError('The instance is being changed by others', {
    doing,
    happened: `somebody else changed it each time, for ${CONFLICT_LIMIT_MS / 1000} s`,
    next: 'Find out what changes the tags or metadata of the instance all the time, then run again',
  });
}

function sameItems(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((item) => right.includes(item));
}
