/** What the demo shows, step by step, on a cluster that is open. */

import { join } from 'node:path';
import type { AgentIdentity } from '../../src/api/agent-identity.ts';
import { AGENT_IDENTITY } from '../../src/api/group.ts';
import { waitUntil } from '../control-plane/wait-until.ts';
import { installChart, OPERATOR_NAMESPACE } from '../operator/install-chart.ts';
import type { Access } from './access.ts';
import { deleteManaged, widenPolicy } from './admission.ts';
import { AgentServer, callAgent, callAsStranger } from './agent-call.ts';
import { readAgentFiles } from './agent-files.ts';
import { edgesInForce } from './delegation.ts';
import { Mismatch } from './mismatch.ts';
import { verifyLeaves } from './openssl.ts';
import type { OpenPlace, Place } from './place.ts';
import { tellOfRotation } from './rotation.ts';
import type { Stage } from './stage.ts';
import { AGENTS, agentNames, SWARM } from './swarm.ts';
import { alterBundle, deleteSecret, openWall } from './tampering.ts';
import { agentTable, aligned, elapsed } from './text.ts';
import { Memories, startAgents, tellOfTokens } from './tokens.ts';

const CONTROLLER = { namespace: OPERATOR_NAMESPACE, name: 'agent-trust-controller' };
const READY_TIMEOUT_MS = 30_000;
const INTERVAL_MS = 100;

/** What the steps work on. */
export interface Scene extends OpenPlace {
  readonly stage: Stage;
  readonly place: Place;
  /** The demo's folder. */
  readonly directory: string;
}

/** Tells it all. @throws StepFailed from the first step that fails. */
export async function tellStory(scene: Scene): Promise<void> {
  const { stage, access, host, place } = scene;
  const memories = new Memories();
  const title = `agent-trust installed (helm/agent-trust, namespace ${OPERATOR_NAMESPACE})`;
  await stage.step(title, () => install(scene));
  await stage.step("operator started with the chart's ServiceAccount and nothing more", () =>
    host.startOperator([`--namespaces=${AGENTS}`, ...accelerated(place)]),
  );
  if (place.hasWebhook) {
    await stage.step("webhook started with a ServiceAccount of its own, which reads no agent's Secret", () =>
      host.startWebhook([`--namespaces=${AGENTS}`]),
    );
  }
  const names = agentNames();
  await stage.step(`examples/swarm applied: ${names.length} agents`, () =>
    access.kubectl(['apply', `--filename=${SWARM}`]),
  );
  const identities = await stage.step(
    `all ${names.length} agents Ready, counted from the end of the apply`,
    () => allReady(scene, names),
  );
  const edges = await tellOfDelegation(scene);
  const agents = await stage.step(
    'every agent has the files of its pod, and those that are called listen',
    () => startAgents(access, podsOf(scene), { identities, edges, memories }),
  );
  try {
    await tellOfAdmission(scene);
    await tellOfCertificates(scene, identities);
    await tellOfTampering(scene);
    await tellOfTokens(stage, agents, memories);
    const { acceleration } = place;
    await tellOfRotation({ stage, access, pods: podsOf(scene), identities, agents, acceleration });
  } finally {
    await agents.close();
  }
}

/** A generation that lives for a year lives for more than a day then: certificates of a day are not cut short. */
function accelerated({ acceleration }: Place): readonly string[] {
  return acceleration === 1 ? [] : ['--authority-life=8760h', `--authority-acceleration=${acceleration}`];
}

async function tellOfCertificates(scene: Scene, identities: readonly AgentIdentity[]): Promise<void> {
  const { stage } = scene;
  const fileOf = (agent: string, path: string): string => join(podsOf(scene), agent, path);
  await stage.step(`openssl verify -x509_strict accepts ${identities.length} certificates`, () =>
    verifyLeaves(
      fileOf('agent-coordinator', 'bundle/ca.crt'),
      identities.map(({ metadata }) => fileOf(metadata.name, 'tls/tls.crt')),
    ),
  );
  const caller = spiffeIdOf(identities, 'agent-coordinator');
  const files = readAgentFiles(fileOf('agent-deployer', 'tls'));
  const server = await AgentServer.start({ files, accepts: caller });
  const to = {
    port: server.port,
    dnsName: `agent-deployer.${AGENTS}.svc`,
    spiffeId: spiffeIdOf(identities, 'agent-deployer'),
  };
  try {
    await tellOfCalls(stage, async () => {
      const coordinator = readAgentFiles(fileOf('agent-coordinator', 'tls'));
      return callAgent(coordinator, to, caller);
    });
    await stage.step(
      'a stranger without a certificate is refused',
      async () => {
        const callsBefore = server.calls;
        const reason = await callAsStranger(files.ca, to);
        if (server.calls !== callsBefore)
          throw new Mismatch('no call to reach agent-deployer', 'one that did');
        return reason;
      },
      (reason) => ({ shown: reason }),
    );
  } finally {
    await server.stop();
  }
}

/** Where each agent has a folder with the files of its pod. */
function podsOf({ directory }: Scene): string {
  return join(directory, 'pods');
}

/** Returns how many edges there are. */
async function tellOfDelegation({ stage, access }: Scene): Promise<number> {
  const edges = await stage.step(
    'policy swarm is in force: what no rule grants is denied',
    () => edgesInForce(access, AGENTS),
    ({ length }) => ({ shown: `${length} edges` }),
  );
  const rows = edges.map(({ from, to, capabilities }) => [from, to, capabilities.join(', ')]);
  const lines = aligned([['FROM', 'MAY DELEGATE TO', 'CAPABILITIES'], ...rows]);
  stage.screen.finalTable(['', ...lines.map((line) => ` ${line}`), '']);
  return edges.length;
}

async function tellOfAdmission({ stage, access, place, directory }: Scene): Promise<void> {
  const refused = async (title: string, run: () => Promise<readonly string[]>): Promise<void> => {
    const lines = await stage.step(title, run, () => ({ shown: 'refused' }));
    stage.screen.finalTable(lines.map((line) => `     ${line}`));
  };
  if (place.hasWebhook) {
    await refused('agent-deployer to get agent-writer to write files for it', () =>
      widenPolicy(access, directory),
    );
  }
  await refused('an administrator to delete Secret agent-writer-tls', () =>
    deleteManaged(access, 'agent-writer-tls'),
  );
}

/** `call` resolves to the milliseconds it took. */
async function tellOfCalls(stage: Stage, call: () => Promise<number>): Promise<void> {
  await stage.step(
    'agent-coordinator calls agent-deployer over mutual TLS',
    async () => [await call(), await call()] as const,
    ([first, again]) => ({
      shown: elapsed(first),
      notes: [`once more, on a connection of its own: ${elapsed(again)}`],
    }),
  );
}

async function tellOfTampering({ stage, access }: Scene): Promise<void> {
  const hands = { client: access.client, hands: await access.steal(CONTROLLER) };
  stage.screen.line(" Somebody has stolen the operator's own token:");
  await stage.step(
    'Secret agent-writer-tls deleted: back with another key after',
    () => deleteSecret(hands, { namespace: AGENTS, name: 'agent-writer-tls' }),
    (tookMs) => ({ shown: elapsed(tookMs) }),
  );
  await stage.step(
    'ca.crt of agent-analyst-tls altered: mended after',
    () => alterBundle(hands, { namespace: AGENTS, agent: 'agent-analyst' }),
    ({ tookMs, event }) => ({ shown: elapsed(tookMs), notes: [`event: Repaired "${event}"`] }),
  );
  await stage.step(
    'NetworkPolicy of agent-validator opened to everybody: closed after',
    () => openWall(hands, { namespace: AGENTS, agent: 'agent-validator' }),
    (tookMs) => ({ shown: elapsed(tookMs) }),
  );
}

async function install({ place, access }: Scene): Promise<void> {
  await access.kubectl(['create', 'namespace', OPERATOR_NAMESPACE]);
  place.made({ namespace: OPERATOR_NAMESPACE });
  await access.kubectl(['create', '--save-config', `--filename=${join(SWARM, 'namespace.yaml')}`]);
  place.made({ namespace: AGENTS });
  place.made('release');
  await installChart({
    kubeconfigPath: access.kubeconfigPath,
    namespaces: [AGENTS],
    admission: place.hasWebhook ? 'all' : 'policies',
    set: place.chartValues,
  });
  const isServed = async (): Promise<boolean> =>
    (await access.kubectl(LIST_ALL, { mayFail: true })).exitStatus === 0;
  if (!(await waitUntil(isServed, { timeoutMs: READY_TIMEOUT_MS, intervalMs: INTERVAL_MS }))) {
    throw new Mismatch(
      'the API server to serve AgentIdentities and DelegationPolicies',
      (await access.kubectl(LIST_ALL, { mayFail: true })).stderr,
    );
  }
}

const LIST_ALL = ['get', 'agentidentities,delegationpolicies', '--all-namespaces'];

async function allReady(
  { access, stage }: Scene,
  names: readonly string[],
): Promise<readonly AgentIdentity[]> {
  let found: readonly AgentIdentity[] = [];
  const table = (): readonly string[] => ['', ...agentTable(found, Date.now()).map((row) => ` ${row}`), ''];
  const isDone = async (): Promise<boolean> => {
    found = await identitiesOf(access, names);
    stage.screen.table(table());
    return found.length === names.length && found.every((identity) => readyOf(identity)?.status === 'True');
  };
  const inTime = await waitUntil(isDone, { timeoutMs: READY_TIMEOUT_MS, intervalMs: INTERVAL_MS });
  stage.screen.finalTable(table());
  if (inTime) return found;
  const late = found.find((identity) => readyOf(identity)?.status !== 'True');
  const ready = late && readyOf(late);
  throw new Mismatch(
    `${names.length} agents Ready within ${elapsed(READY_TIMEOUT_MS)}`,
    late === undefined
      ? `${found.length} agents`
      : `${late.metadata.name}: ${ready?.reason}, ${ready?.message}`,
  );
}

async function identitiesOf(access: Access, names: readonly string[]): Promise<readonly AgentIdentity[]> {
  const { items } = await access.client.list<AgentIdentity>(AGENT_IDENTITY, { namespace: AGENTS });
  return items.filter(({ metadata }) => names.includes(metadata.name));
}

function readyOf({
  status,
}: AgentIdentity):
  | { readonly status: string; readonly reason: string; readonly message: string }
  | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready');
}

function spiffeIdOf(identities: readonly AgentIdentity[], agent: string): string {
  const identity = identities.find(({ metadata }) => metadata.name === agent);
  return identity?.status?.spiffeID ?? `a SPIFFE ID for ${agent}`;
}
