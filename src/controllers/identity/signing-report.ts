/** What status says of the signing keys. */

import { stateSinceMs } from '../../domain/signing/keys.ts';
import { keysOf } from '../signing/signing-record.ts';
import type { Context } from './context.ts';
import type { KeyReport, SigningReport } from './status.ts';

/** The report on what came of them; `wipe`: their Secret was wiped. */
export function signingReport(
  { signing, inputs }: Pick<Context, 'signing' | 'inputs'>,
  { wipe = false }: { readonly wipe?: boolean } = {},
): SigningReport {
  const { identity, signing: secret } = inputs;
  const found = secret === undefined || wipe ? [] : keysOf(secret, identity.metadata.uid);
  switch (signing.kind) {
    case 'none':
      return { kind: 'none', keys: found.map(keyReport) };
    case 'untried':
      return { kind: 'as-before' };
    case 'kept': {
      const message = `Secret ${signing.secretName} holds the signing keys.`;
      return { kind: 'ready', message, keys: signing.keys.map(keyReport) };
    }
    case 'failed': {
      const { reason, message, keys } = signing;
      return { kind: 'problem', reason, message, keys: keys.map(keyReport) };
    }
    case 'again': {
      const { message } = signing;
      if (message === undefined) return { kind: 'as-before' };
      return { kind: 'problem', reason: 'IssueFailed', message, keys: found.map(keyReport) };
    }
  }
}

function keyReport(key: Parameters<typeof stateSinceMs>[0] & { readonly kid: string }): KeyReport {
  return { kid: key.kid, state: key.state, sinceMs: stateSinceMs(key) };
}
