/** What an API server says to a request, taken apart: allowed, or refused by whom with which words. */

import type { Received } from './api-server.ts';
import { type Request, resourceOf } from './request.ts';

/** A refusal. */
export interface Refusal {
  readonly status: number;
  /** `RBAC`, `schema`, `policy <name>`, `webhook <name>`, `absent webhook <name>`, or `API server` for everything else. */
  readonly by: string;
  /** The words, without what the API server puts in front of them. */
  readonly says: string;
}

/** The answer. */
export type Answer = { readonly warnings: readonly string[] } | Refusal;

/** Takes an answer apart. */
export function answerOf({ status, body, warnings }: Received): Answer {
  if (status < 300) return { warnings };
  const { message = '' } = body as { message?: string };
  return { status, ...layerOf(message) };
}

/** What else is said differs from one version of Kubernetes to the next. */
const IMPERSONATION = 'cannot impersonate';

const LAYERS: readonly (readonly [RegExp, (match: RegExpMatchArray) => Omit<Refusal, 'status'>])[] = [
  [
    /ValidatingAdmissionPolicy '([^']+)' with binding '[^']+' denied request: ([\s\S]*)$/,
    ([, name, says = '']) => ({ by: `policy ${name}`, says }),
  ],
  [
    /^admission webhook "([^"]+)" denied the request: ([\s\S]*)$/,
    ([, name, says = '']) => ({ by: `webhook ${name}`, says }),
  ],
  [
    /failed calling webhook "([^"]+)"/,
    ([, name]) => ({ by: `absent webhook ${name}`, says: `failed calling webhook "${name}"` }),
  ],
  [/ is forbidden: User "[^"]+" cannot impersonate/, () => ({ by: 'RBAC', says: IMPERSONATION })],
  [/ is forbidden: User "[^"]+" (cannot [\s\S]*)$/, ([, says = '']) => ({ by: 'RBAC', says })],
  [/^\S+ "[^"]*" is invalid: ([\s\S]*)$/, ([, says = '']) => ({ by: 'schema', says })],
];

function layerOf(message: string): Omit<Refusal, 'status'> {
  for (const [pattern, read] of LAYERS) {
    const match = pattern.exec(message);
    if (match !== null) return read(match);
  }
  return { by: 'API server', says: message };
}

const PATCHES: readonly string[] = ['merge patch', 'JSON patch', 'apply'];

/** What RBAC says to a request that no role allows. */
export function rbacSays({ verb, target }: Request): string {
  if (verb === 'impersonate') return IMPERSONATION;
  const { plural, group, namespaced } = resourceOf(target);
  const resource = target.subresource === undefined ? plural : `${plural}/${target.subresource}`;
  // To the API server a namespace lies in itself.
  const namespace = plural === 'namespaces' ? target.name : namespaced ? target.namespace : undefined;
  const scope = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const asked = PATCHES.includes(verb) ? 'patch' : verb;
  return `cannot ${asked} resource "${resource}" in API group "${group}" ${scope}`;
}
