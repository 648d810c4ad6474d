/** Reference page of the error codes that appear in the operator's log, from the table in src/kube. */

import { KUBE_ERRORS, type KubeErrorCode } from '../../src/kube/errors.ts';

interface ErrorText {
  readonly means: string;
  readonly lookAt: string;
}

/** A code without a text does not compile. */
const TEXTS: Readonly<Record<KubeErrorCode, ErrorText>> = {
  KUBE_NOT_FOUND: {
    means: 'There is no such object, kind or namespace (404).',
    lookAt: 'Usually nothing: it was deleted meanwhile. For a kind: are the CRDs installed?',
  },
  KUBE_ALREADY_EXISTS: {
    means: 'An object to create was there already (409 AlreadyExists).',
    lookAt: 'Usually nothing: it is read and looked at again.',
  },
  KUBE_CONFLICT: {
    means: 'The object was changed or replaced since it was read (409 Conflict, or a uid that does not fit).',
    lookAt: 'Usually nothing. If it lasts, something else writes the same object all the time.',
  },
  KUBE_GONE: {
    means: 'The history that a watch or a paged list asked for is no longer there (410).',
    lookAt: 'Nothing: the cache lists anew.',
  },
  KUBE_INVALID: {
    means: 'The API server refuses the content of an object (422).',
    lookAt: 'The message names the fields. Compare the CRD of the cluster with that of the release.',
  },
  KUBE_BAD_REQUEST: {
    means: 'The API server refuses the request itself (any other 4xx).',
    lookAt: 'An admission webhook or policy, or a version of the API server that is too old.',
  },
  KUBE_FORBIDDEN: {
    means: 'The ServiceAccount of the operator may not do that (403).',
    lookAt: 'The RoleBinding agent-trust-controller of the namespace; `helm upgrade` puts it back.',
  },
  KUBE_UNAUTHORIZED: {
    means: 'The API server does not take the token, not even a fresh one (401).',
    lookAt: 'The token volume of the pod; the clock of the node.',
  },
  KUBE_TOO_MANY_REQUESTS: {
    means: 'The API server asks to come back later (429) and did so ten times in a row.',
    lookAt: 'Load and priority levels of the API server.',
  },
  KUBE_UNAVAILABLE: {
    means: 'No connection, no answer in time, or a failure on the server (5xx).',
    lookAt: 'Whether the API server is up and reachable from the pod.',
  },
  KUBE_ABORTED: {
    means: 'The call was given up by this side, as a rule because the process ends.',
    lookAt: 'Nothing.',
  },
  KUBE_LEASE_NOT_HELD: {
    means: 'A write was refused on this side because the process does not, or not surely, hold the lease.',
    lookAt:
      'Nothing, if another replica leads. Else: the connection to the API server, and stalls of the node.',
  },
  KUBE_PROTOCOL: {
    means: 'The answer is not what the Kubernetes API gives: no JSON, or far too large.',
    lookAt: 'What stands between the pod and the API server.',
  },
  KUBE_NO_CREDENTIALS: {
    means:
      'There is no kubeconfig and no mounted ServiceAccount that can be used. The process ends with status 78.',
    lookAt: 'The message names what is missing.',
  },
};

/** docs/reference/errors.md. */
export async function errorsTable(): Promise<ReadonlyMap<string, string>> {
  const rows = Object.entries(KUBE_ERRORS).map(([code, { retryable }]) => {
    const { means, lookAt } = TEXTS[code as KubeErrorCode];
    return `| ${code} | ${means} | ${retryable ? 'yes' : 'no'} | ${lookAt} |`;
  });
  return new Map([['docs/reference/errors.md', page(rows)]]);
}

function page(rows: readonly string[]): string {
  return `# Errors

Generated from \`src/kube/errors.ts\` by \`npm run generate\`.

Codes of calls to the API server, as the field \`code\` of a log line and in front of no message: a message says what was
asked of which object, never what was in it. "Again" says whether the same call can succeed later without anybody doing
something; the operator comes back to the identity by itself in either case.

| code | means | again | look at |
|---|---|---|---|
${rows.join('\n')}

What an AgentIdentity itself reports is in [conditions.md](conditions.md).

## Exit statuses of the controller

| status | means |
|---|---|
| 0 | told to end, and ended in good order |
| 1 | lost the lease, could not start or go on; the log says why. Kubernetes starts it again |
| 64 | a flag is wrong; every mistake is listed ([flags.md](flags.md)) |
| 78 | no credentials |
`;
}
