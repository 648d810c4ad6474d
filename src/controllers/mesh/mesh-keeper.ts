/**
 * Keeps the mesh objects of identities: what the delegation graph, the spec and the cluster ask for is rendered, and
 * written where it differs. Never throws for what the API server answers: a certificate does not wait for it.
 */

import { olderClaimant } from '../../cluster/identity-view.ts';
import type { MeshObjects } from '../../domain/mesh/model.ts';
import { isKubeError } from '../../kube/errors.ts';
import { type Key, keyOf } from '../../kube/object.ts';
import { judgeAnswer, TELL_AFTER_UNANSWERED, TERMINATING_MESSAGE } from '../api-answer.ts';
import { coverageOf } from './coverage.ts';
import { policyDigest, shortDigest } from './digest.ts';
import { isKept, keepObjects } from './keep-objects.ts';
import { MeshMemory } from './mesh-memory.ts';
import type { MeshInput, MeshPorts } from './mesh-ports.ts';
import type { MeshScope } from './mesh-view.ts';
import { ownRecords } from './object-cache.ts';
import { type MeshOutcome, refusalMessage } from './outcome.ts';
import { isGuarded, scopeAccess } from './scope-access.ts';
import { wantedObjects } from './wanted.ts';

const YIELD_RECHECK_MS = 1_000;
const REFUSED_RECHECK_MS = 10_000;

const IN_PART =
  'The API server serves only one of AuthorizationPolicy and PeerAuthentication of security.istio.io/v1, so that the mesh objects stay as they are: let it serve both, or neither.';

interface Round extends MeshInput {
  readonly key: Key;
  readonly scope: MeshScope;
  readonly signal: AbortSignal;
}

/** One for the process. */
export class MeshKeeper {
  readonly #ports: MeshPorts;
  readonly #memory = new MeshMemory();

  constructor(ports: MeshPorts) {
    this.#ports = ports;
  }

  /** Brings the objects of an identity to what they should be. Idempotent. */
  async keep(input: MeshInput, signal: AbortSignal): Promise<MeshOutcome> {
    const { view, mesh, nowMs } = this.#ports;
    const { identity, serviceAccountName, server } = input;
    const { namespace } = identity.metadata;
    const scope = view.governed(namespace) === undefined ? undefined : mesh.scope(namespace);
    if (scope === undefined) return { kind: 'outside', recheckAtMs: undefined };
    const access = scopeAccess(mesh, scope);
    if (access === 'unknown') return { kind: 'unchanged', recheckAtMs: undefined };
    if (access === 'in-part') {
      return { kind: 'pending', message: IN_PART, isDryRun: server.isDryRun, recheckAtMs: undefined };
    }
    if (access === 'refused') {
      const message = `The API server refuses the operator's access to policies or Services of namespace ${namespace}, or to the definitions of Istio's kinds. helm upgrade puts the roles back.`;
      const recheckAtMs = nowMs() + REFUSED_RECHECK_MS;
      return { kind: 'failed', reason: 'MeshFailed', message, isDryRun: server.isDryRun, recheckAtMs };
    }
    const round = { ...input, key: keyOf(identity.metadata), scope, signal };
    const older = olderClaimant(view, { ...identity.metadata, serviceAccountName });
    return older === undefined ? this.#render(round) : this.#yield(round, `${namespace}/${older}`);
  }

  /** The identity is gone, and nothing of it is left on the server. */
  forget(key: Key): void {
    this.#memory.forget(key);
  }

  async #render(round: Round): Promise<MeshOutcome> {
    const { key, scope, identity } = round;
    const isThere = ownRecords(scope, key).size > 0;
    const { target, facts, plan, problem } = wantedObjects(this.#ports, round, isThere);
    const isDryRun = target.state === 'dry-run';
    const obstacle = plan === undefined ? undefined : await this.#bring(round, plan.objects, isDryRun);
    if (obstacle !== undefined) return obstacle;
    if (problem?.kind === 'pending') {
      return { kind: 'pending', message: problem.message, isDryRun, recheckAtMs: undefined };
    }
    if (problem?.kind === 'failed') {
      this.#ports.events.failed(identity, problem.message);
      return {
        kind: 'failed',
        reason: 'MeshFailed',
        message: problem.message,
        isDryRun,
        recheckAtMs: undefined,
      };
    }
    const rendered = { target, facts, plan: plan ?? { objects: {}, notes: [] }, scope };
    const coverage = coverageOf(this.#ports.mesh, rendered);
    if (coverage !== undefined) this.#ports.events.judged(identity, coverage);
    return { kind: 'rendered', coverage, isDryRun, recheckAtMs: undefined };
  }

  /** The pods are another identity's: objects of this one would only shut out its callers. */
  async #yield(round: Round, holder: Key): Promise<MeshOutcome> {
    const { key, scope } = round;
    if (ownRecords(scope, key).size === 0) return { kind: 'outside', recheckAtMs: undefined };
    const { view, mesh, nowMs } = this.#ports;
    if (!isGuarded({ view, mesh, scope }, holder)) {
      return { kind: 'outside', recheckAtMs: nowMs() + YIELD_RECHECK_MS };
    }
    return (await this.#bring(round, {}, false)) ?? { kind: 'outside', recheckAtMs: undefined };
  }

  /** Writes what differs; gives what stands in the way. */
  async #bring(
    { key, scope, identity, signal }: Round,
    wanted: MeshObjects,
    isDryRun: boolean,
  ): Promise<MeshOutcome | undefined> {
    const { events, nowMs } = this.#ports;
    const text = textOf(wanted);
    const keeping = { agent: key, scope, wanted };
    if (isKept(keeping)) {
      this.#memory.kept(key, text);
      return undefined;
    }
    const mends = this.#memory.isMending(key, text);
    const pauseUntilMs = mends ? this.#memory.pauseUntilMs(key, nowMs()) : undefined;
    if (pauseUntilMs !== undefined) return { kind: 'unchanged', recheckAtMs: pauseUntilMs };
    try {
      const { writes, squatted } = await keepObjects(this.#ports, keeping, signal);
      this.#memory.kept(key, text);
      events.wrote(writes);
      events.squatted(identity, squatted);
      if (mends && writes > 0) events.mended(identity, this.#memory.mended(key, nowMs()));
      return undefined;
    } catch (error) {
      return this.#explain({ key, identity }, error, isDryRun);
    }
  }

  #explain(
    { key, identity }: Pick<Round, 'key' | 'identity'>,
    error: unknown,
    isDryRun: boolean,
  ): MeshOutcome {
    if (!isKubeError(error)) throw error;
    const answer = judgeAnswer(error);
    if (answer === 'terminating') {
      const message = TERMINATING_MESSAGE;
      return { kind: 'failed', reason: 'NamespaceTerminating', message, isDryRun, recheckAtMs: undefined };
    }
    if (answer !== 'refused' && this.#memory.unanswered(key) < TELL_AFTER_UNANSWERED) {
      return { kind: 'unanswered', error, recheckAtMs: undefined };
    }
    const message = refusalMessage(error);
    this.#ports.events.failed(identity, message);
    const recheckAtMs = this.#memory.failed(key, this.#ports.nowMs());
    return { kind: 'failed', reason: 'MeshFailed', message, isDryRun, recheckAtMs };
  }
}

/** All of the objects in short: equal for equal ones. */
function textOf(objects: MeshObjects): string {
  const digests = Object.entries(objects).map(([role, object]) => `${role}=${policyDigest(object)}`);
  return shortDigest(digests.join(' '));
}
