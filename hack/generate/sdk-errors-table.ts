/** Reference page of the codes with which the SDK fails, from the types in src/sdk. */

import type { CallFailureCode } from '../../src/sdk/http/call-failed.ts';
import type { LoadFailureCode } from '../../src/sdk/load-failed.ts';

interface ProblemText {
  readonly means: string;
  readonly wayOut: string;
}

interface CallText {
  readonly means: string;
  readonly wasExecuted: string;
}

const PUT_BACK =
  'The operator puts it right by itself, and the kubelet brings it a little later. If it lasts, something else writes the files.';
const CONDITIONS =
  'See condition Ready of the AgentIdentity ([conditions.md](conditions.md)), and that the operator runs.';
const WRONG_VOLUME = 'See which Secret and which ConfigMap the pod mounts; [pods.md](../pods.md) says which.';

/** A code without a text does not compile. */
const PROBLEMS: Readonly<Record<LoadFailureCode, ProblemText>> = {
  folder_missing: {
    means: 'There is no such folder.',
    wayOut:
      'Create the pod as the ServiceAccount of the agent, or let `AGENT_TRUST_DIR` name the folder: [pods.md](../pods.md).',
  },
  folder_unreadable: {
    means: 'The folder cannot be read; the message has the code of the operating system.',
    wayOut: 'See as which user the process runs. `fsGroup` of the pod lets one that is not root read.',
  },
  folder_changing: {
    means: 'While the folder was read it changed, twenty times in a row.',
    wayOut: 'It is read again by itself. See what writes the folder.',
  },
  file_missing: { means: 'A file is not in the folder.', wayOut: WRONG_VOLUME },
  file_too_large: { means: 'A file is larger than any of ours can be.', wayOut: WRONG_VOLUME },
  file_unreadable: {
    means: 'A file cannot be read; the message has the code of the operating system.',
    wayOut: 'See as which user the process runs.',
  },
  certificate_invalid: {
    means: '`tls/tls.crt` is no PEM, or not the certificate of exactly one agent.',
    wayOut: PUT_BACK,
  },
  certificate_expired: { means: 'The certificate has ended.', wayOut: CONDITIONS },
  certificate_of_another: {
    means: 'A running agent finds the certificate of another one, and keeps its own.',
    wayOut: WRONG_VOLUME,
  },
  key_mismatch: { means: '`tls/tls.key` is not the key of the certificate.', wayOut: PUT_BACK },
  roots_invalid: {
    means: '`tls/ca.crt` holds something else than certificates of authorities.',
    wayOut: PUT_BACK,
  },
  signing_key_invalid: {
    means:
      '`signing/signing-keys.json` has not exactly one key of state Active, or not the key that it says.',
    wayOut: PUT_BACK,
  },
  bundle_unsigned: {
    means:
      'The bundle is not signed by the operator that the roots in `tls/ca.crt` stand for, or the clock is wrong: the message says which.',
    wayOut: PUT_BACK,
  },
  bundle_foreign: { means: 'The bundle is that of another namespace.', wayOut: WRONG_VOLUME },
  bundle_expired: {
    means: 'The bundle has ended, and there is no newer one: all tokens are refused with `stale_state`.',
    wayOut: 'See that the operator runs, and the clock of the node.',
  },
  bundle_older: {
    means: 'There was a newer bundle before, or another one of the same number.',
    wayOut: `An older one was put back. ${PUT_BACK}`,
  },
  bundle_altered: { means: 'A file is not the one that the signature is about.', wayOut: PUT_BACK },
  bundle_invalid: {
    means: 'A file of the bundle has a form that this version of the SDK does not know.',
    wayOut: 'Update the SDK to the version of the operator, or a later one.',
  },
  store_not_shared: {
    means:
      'Pods of the agent share their used tokens (`spec.server.replay: Shared`, or several are ready), or its cluster workers do, and the store is in this process.',
    wayOut:
      'Give `loadAgent` a store that they share ([replay-store.md](../replay-store.md)), or `store: "none"` if the agent is never called.',
  },
  verifier_elsewhere: {
    means: 'Something else than the SDK verifies tokens for the agent (`spec.server.verifier`).',
    wayOut: 'Give `loadAgent` `store: "none"`, or change `spec.server.verifier`.',
  },
  option_invalid: {
    means: 'An option of `loadAgent` is not of its form.',
    wayOut: 'The message says which, and how it is written.',
  },
};

/** A code without a text does not compile. */
const CALLS: Readonly<Record<CallFailureCode, CallText>> = {
  invalid_request: {
    means:
      'no https URL, a method without sense, a header field that only the SDK writes, a `delegate` that lacks a member or has one that nobody knows',
    wasExecuted: 'no',
  },
  unknown_audience: { means: 'the host is no agent that the policy knows', wasExecuted: 'no' },
  too_large: {
    means: 'token, chain, proof and header fields do not fit into one request',
    wasExecuted: 'no',
  },
  refused: {
    means:
      'somebody said no: `refusal` says what ([the names](../tokens.md#refusals)), `refusedBy` whether this side (`self`) or the `audience`',
    wasExecuted: 'no',
  },
  wrong_server: { means: 'who answers there is not the audience', wasExecuted: 'no' },
  unreachable: {
    means: 'nobody answers there, or not with TLS 1.3, or not to this certificate',
    wasExecuted: 'no',
  },
  timed_out: { means: "the time of the caller's `signal` is over", wasExecuted: '`wasSent`' },
  aborted: {
    means: 'the caller gave up, by its `signal`, or the agent was closed',
    wasExecuted: '`wasSent`',
  },
  outcome_unknown: {
    means: 'it was sent and no answer came, or somebody else used the token (`refusal: "replayed"`)',
    wasExecuted: 'nobody can tell',
  },
};

/** docs/reference/sdk-errors.md. */
export async function sdkErrorsTable(): Promise<ReadonlyMap<string, string>> {
  const problems = Object.entries(PROBLEMS).map(
    ([code, { means, wayOut }]) => `| \`${code}\` | ${means} | ${wayOut} |`,
  );
  const calls = Object.entries(CALLS).map(
    ([code, { means, wasExecuted }]) => `| \`${code}\` | ${means} | ${wasExecuted} |`,
  );
  return new Map([['docs/reference/sdk-errors.md', page(problems.join('\n'), calls.join('\n'))]]);
}

function page(problems: string, calls: string): string {
  return `# Errors of the SDK

Generated from the types in \`src/sdk\` by \`npm run generate\`. A code stays what it is; messages are for people and may
change. None holds a key, a token, a certificate or a body. Why a token is refused is in [tokens.md](../tokens.md#refusals).

## An agent cannot start, or its files are not right

\`loadAgent\` throws \`LoadFailed\` with \`code\` and, where there is one, \`file\`. Of a running agent, \`problems\` and
\`onProblem\` say the same of its files; what was right before goes on to count then, and the files are read again by
themselves.

| code | means | way out |
|---|---|---|
${problems}

## Calls

\`agent.fetch\` and \`call.fetch\` throw \`CallFailed\`; what is tried again by itself is in
[sdk-http.md](../sdk-http.md#tried-again).

| code | means | was it executed? |
|---|---|---|
${calls}

\`wasSent\` is true when any try may have been executed.
`;
}
