/** What comes of keeping the signing keys of an identity. */

import type { ReadyReason } from '../../api/conditions.ts';
import type { SigningKey } from '../../domain/signing/keys.ts';
import type { KubeError } from '../../kube/errors.ts';

/**
 * `none`: the identity is not served. `untried`: something was in the way before. `kept`: the Secret is as it should be. `failed`: it is not, and why. `again`: it is
 * not known, and the next round finds out; `message` is there once it lasts.
 */
export type SigningOutcome =
  | { readonly kind: 'none' }
  | { readonly kind: 'untried' }
  | {
      readonly kind: 'kept';
      readonly secretName: string;
      readonly keys: readonly SigningKey[];
      readonly recheckAtMs: number;
    }
  | {
      readonly kind: 'failed';
      readonly reason: ReadyReason;
      readonly message: string;
      readonly keys: readonly SigningKey[];
      readonly recheckAtMs: number;
    }
  | { readonly kind: 'again'; readonly error: KubeError; readonly message: string | undefined };
