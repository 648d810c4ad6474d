/** Reviews the creation of pods: those that run as an agent get its files, and nobody else carries its label. */

import type { AgentIdentity } from '../api/agent-identity.ts';
import { BUNDLE_NAME } from '../api/group.ts';
import { BY_SERVICE_ACCOUNT, type IdentityView } from '../cluster/identity-view.ts';
import { type ResolvedIdentity, resolveAgentIdentity } from '../domain/identity/resolve.ts';
import { LABEL_IDENTITY } from '../domain/mesh/names.ts';
import { type Injection, injectFiles } from '../domain/pod/inject.ts';
import type { PodShape } from '../domain/pod/shape.ts';
import type { Known } from './known.ts';
import type { AdmissionAnswer, Reviewer } from './review.ts';

/** The account of pods that name none; it is never an agent's. */
const DEFAULT_ACCOUNT = 'default';
/** So many problems are told. */
const MAX_TOLD = 16;
const MAX_LINE_CHARACTERS = 1_000;
const ALLOWED: AdmissionAnswer = { kind: 'allowed' };

/** Makes the reviewer. The same pod, reviewed again after it was patched, is allowed without a patch. */
export function reviewPod({ view }: Pick<Known, 'view'>): Reviewer {
  return (request) => {
    if (request.operation !== 'CREATE') return ALLOWED;
    const pod = request.object as PodShape;
    const account = accountOf(pod);
    if (account === DEFAULT_ACCOUNT) return reviewStranger(pod, account);
    if (!view.identities.hasSynced) {
      const message =
        'it is not known yet whether this pod runs as an agent: the AgentIdentities are not listed. Try again in a moment.';
      return { kind: 'refused', message };
    }
    const { namespace = '' } = request;
    const agent = agentOfAccount(view, { namespace, serviceAccountName: account });
    return agent === undefined ? reviewStranger(pod, account) : reviewAgent(pod, agent);
  };
}

/** The server fills `serviceAccountName` in before it asks; a server that does not leaves the default. */
function accountOf({ spec }: PodShape): string {
  return spec?.serviceAccountName || DEFAULT_ACCOUNT;
}

/** A pod that is no agent's and says it is one would be let through walls. */
function reviewStranger({ metadata }: PodShape, account: string): AdmissionAnswer {
  const label = metadata?.labels?.[LABEL_IDENTITY];
  if (label === undefined || label === account) return ALLOWED;
  const message = `metadata.labels[${LABEL_IDENTITY}] is "${label}", and the pod runs as ServiceAccount ${account}, which is no agent. Take the label out, or run the pod as the ServiceAccount of the agent: the label is then put there by itself.`;
  return { kind: 'refused', message: printable(message) };
}

interface Agent {
  readonly identity: AgentIdentity;
  readonly resolved: ResolvedIdentity;
}

function reviewAgent(pod: PodShape, { identity, resolved }: Agent): AdmissionAnswer {
  const { namespace, name } = identity.metadata;
  const { serviceAccountName, secretName, signing, isSuspended } = resolved;
  const injection = injectFiles(pod, {
    serviceAccountName,
    certificateSecret: secretName,
    signingSecret: signing.secretName,
    bundleConfigMap: BUNDLE_NAME,
  });
  if (injection.kind === 'refused') {
    return { kind: 'refused', message: refusal(`${namespace}/${name}`, injection.problems) };
  }
  const warnings = isSuspended ? [suspended(`${namespace}/${name}`, secretName)] : [];
  return {
    kind: 'allowed',
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(injection.kind === 'patch' ? { patch: injection.patch } : {}),
  };
}

function refusal(agent: string, problems: Extract<Injection, { kind: 'refused' }>['problems']): string {
  const more = problems.length - MAX_TOLD;
  return [
    `this pod runs as agent ${agent} and cannot get its files`,
    ...problems.slice(0, MAX_TOLD).map((problem) => `  ${printable(problem)}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ].join('\n');
}

/** Values of the pod, which nobody has looked at yet, are quoted in it. */
function printable(text: string): string {
  return text.replace(/[^ -~]/g, '?').slice(0, MAX_LINE_CHARACTERS);
}

/** At most 256 characters are shown of it. */
function suspended(agent: string, secretName: string): string {
  return `agent ${agent} is suspended: this pod waits for Secret ${secretName} and starts by itself once that is lifted`;
}

/**
 * The agent that a ServiceAccount is, if it is one: of several AgentIdentities on it the oldest. One that is being deleted
 * is no agent any more.
 */
function agentOfAccount(
  view: IdentityView,
  { namespace, serviceAccountName }: { readonly namespace: string; readonly serviceAccountName: string },
): Agent | undefined {
  if (view.scopeOf(namespace) !== 'governed') return undefined;
  const [identity] = view.identities
    .byIndex(BY_SERVICE_ACCOUNT, `${namespace}/${serviceAccountName}`)
    .map((key) => view.identities.get(key))
    .filter((each) => each !== undefined)
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .sort((left, right) => (ageOf(left) < ageOf(right) ? -1 : 1));
  if (identity === undefined) return undefined;
  return { identity, resolved: resolveAgentIdentity(identity.metadata.name, identity.spec) };
}

/** Texts in the order of age. */
function ageOf({ metadata }: AgentIdentity): string {
  return `${metadata.creationTimestamp} ${metadata.uid}`;
}
