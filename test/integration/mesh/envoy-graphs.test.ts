/**
 * A real Envoy with what is rendered for random graphs decides as the reference implementation says, and as the evaluator
 * that other tests use says; and with random policies of anybody, as that evaluator says.
 */

import { expect } from 'chai';
import type { Account, MeshFacts } from '../../../src/domain/mesh/model.ts';
import { planMesh } from '../../../src/domain/mesh/plan.ts';
import { atOnce } from '../../support/mesh/at-once.ts';
import { meshAllows } from '../../support/mesh/evaluate.ts';
import { foreignPolicies } from '../../support/mesh/foreign-policies.ts';
import { istioVerdicts } from '../../support/mesh/istio-filters.ts';
import type { MeshAnswer, MeshCall } from '../../support/mesh/mesh-client.ts';
import { AUTHORIZER, type MeshScenes, PORTS, TRUST_DOMAIN, VERIFIED } from '../../support/mesh/mesh-scene.ts';
import {
  accountOf,
  podLabels,
  randomMeshWorld,
  referenceAnswer,
  SCRAPER,
  targetsOf,
} from '../../support/mesh/mesh-world.ts';
import type { PolicyObject } from '../../support/mesh/policy-object.ts';
import { callAll, useScenes } from '../../support/mesh/use-scenes.ts';
import { agentIds, Dice } from '../../support/random-world.ts';

const WORKERS = 8;
const GRAPHS = 100;
const FOREIGN = 60;
const MAX_AGENTS = 6;
/** One set of certificates for all graphs; those of agents that a graph has lost are valid too. */
const CALLERS: readonly Account[] = [...agentIds(MAX_AGENTS).map(accountOf), SCRAPER];
const PATHS = ['/v1/delegate', '/v1/reports/q3', '/v1/tools/read', '/healthz', '/metrics', '/other'];

/** A pair between which calls are tried, on one connection. */
interface Pair {
  readonly scene: number;
  readonly from: Account;
  readonly pod: Account;
  readonly port: number;
}

interface Try extends MeshCall {
  readonly tokenVerified: boolean;
}

const TRIES: readonly Try[] = ['GET', 'POST'].flatMap((method) =>
  PATHS.flatMap((path) =>
    [false, true].map((tokenVerified) => ({
      method,
      path,
      tokenVerified,
      headers: tokenVerified ? VERIFIED : {},
    })),
  ),
);

describe(`a real Envoy with what is rendered for ${GRAPHS} random graphs of up to ${MAX_AGENTS} agents`, () => {
  const worlds = Array.from({ length: GRAPHS }, (_, index) => {
    const world = randomMeshWorld(new Dice(index + 1), MAX_AGENTS);
    const isVerifying = index % 4 === 0;
    const sidecar: MeshFacts = { trustDomain: TRUST_DOMAIN, servesIstio: true, dataPlane: 'sidecar' };
    const facts = isVerifying ? { ...sidecar, authorizerProvider: AUTHORIZER } : sidecar;
    const objects = targetsOf(world).flatMap((target) => Object.values(planMesh(target, facts).objects));
    return { world, isVerifying, objects, ids: [...world.servers.keys()] };
  });
  const scenes = useScenes(() => worlds.map(({ objects, ids }) => ({ objects, pods: ids.map(accountOf) })));

  it('decides every call between any two as the reference and the evaluator say', async () => {
    const pairs = worlds.flatMap(({ ids, isVerifying, world, objects }, scene) =>
      ids.flatMap((to) =>
        CALLERS.flatMap((from) =>
          // the second port is worth a connection only for the caller that may use it
          PORTS.filter((port) => port === 8443 || from === SCRAPER).map((port) => ({
            pair: { scene, from, pod: accountOf(to), port },
            // without authorizer a token changes nothing
            tries: TRIES.filter(({ tokenVerified }) => isVerifying || !tokenVerified),
            wanted: (call: Try): readonly boolean[] => {
              const answer = referenceAnswer(world, { ...call, from, to, port });
              const isTokenFine = call.tokenVerified || !isVerifying;
              return [
                answer === 'callers' || (answer === 'route' && isTokenFine),
                evaluated(objects, { scene, from, pod: accountOf(to), port }, call),
              ];
            },
          })),
        ),
      ),
    );
    const { differences, calls, done } = await compareAll(scenes(), pairs);
    expect(differences.slice(0, 10)).to.deep.equal([]);
    // graphs in which nobody may do anything would agree with everything
    expect(calls).to.be.greaterThan(25_000);
    expect(done).to.be.greaterThan(1000);
  });
});

describe(`a real Envoy with ${FOREIGN} random sets of policies of anybody`, () => {
  let sets: readonly (readonly PolicyObject[])[] = [];
  const [POD = SCRAPER] = CALLERS;
  const scenes = useScenes(async () => {
    sets = await Promise.all(Array.from({ length: FOREIGN }, (_, index) => admitted(new Dice(index))));
    return sets.map((objects) => ({ objects, pods: [POD] }));
  });

  it('decides every call as the evaluator says', async () => {
    const pairs = sets.flatMap((objects, scene) =>
      CALLERS.flatMap((from) =>
        PORTS.map((port) => {
          const pair = { scene, from, pod: POD, port };
          return { pair, tries: TRIES, wanted: (call: Try) => [evaluated(objects, pair, call)] };
        }),
      ),
    );
    const { differences, calls, done } = await compareAll(scenes(), pairs);
    expect(differences.slice(0, 10)).to.deep.equal([]);
    expect(done).to.be.within(calls * 0.1, calls * 0.9);
  });

  /** Policies that Istio's webhook lets through. */
  async function admitted(dice: Dice): Promise<readonly PolicyObject[]> {
    const policies = foreignPolicies(dice, POD, CALLERS);
    const verdicts = await istioVerdicts(policies);
    return policies.filter((_, at) => verdicts[at]?.error === undefined);
  }
});

function evaluated(objects: readonly PolicyObject[], { from, pod, port }: Pair, call: Try): boolean {
  const target = { namespace: pod.namespace, labels: podLabels(pod), trustDomain: TRUST_DOMAIN };
  const { method, path, tokenVerified } = call;
  const principal = `${TRUST_DOMAIN}/ns/${from.namespace}/sa/${from.serviceAccountName}`;
  const caller = { principal, namespace: from.namespace, labels: podLabels(from) };
  return meshAllows(objects, target, { ...caller, port, method, path, tokenVerified }).allowed;
}

interface Compared {
  readonly pair: Pair;
  readonly tries: readonly Try[];
  /** What each source says: whether the call goes through. */
  readonly wanted: (call: Try) => readonly boolean[];
}

async function compareAll(
  scenes: MeshScenes,
  all: readonly Compared[],
): Promise<{ readonly differences: readonly string[]; readonly calls: number; readonly done: number }> {
  const differences: string[] = [];
  const count = { calls: 0, done: 0 };
  await atOnce(WORKERS, all, async ({ pair, tries, wanted }) => {
    const identity = await scenes.identity(pair.from);
    const answers = await callAll(scenes, { place: pair, identity }, tries);
    for (const [at, call] of tries.entries()) {
      const answer = answers[at];
      const said = wanted(call);
      count.calls++;
      if (answer?.kind === 'done') count.done++;
      if (said.some((allowed) => allowed !== isThrough(answer))) {
        differences.push(JSON.stringify({ pair, call, answer, said }));
      }
    }
  });
  return { differences, ...count };
}

/** Undefined for an answer that is neither the application's nor a refusal by policy. */
function isThrough(answer: MeshAnswer | undefined): boolean | undefined {
  if (answer?.kind === 'done') return true;
  return answer?.kind === 'refused' && answer.status === 403 ? false : undefined;
}
