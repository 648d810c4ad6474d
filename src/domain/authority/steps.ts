/** The steps that a rotation is made of. */

import type { Lacking } from './facts.ts';
import type { RotationReason } from './succession.ts';

/** Why a generation signs now: in its course, because of the deadline, or because nothing else can sign. */
export type ActivationReason = 'Ready' | 'Deadline' | 'NothingElse';

/** One step; `wait` when there is none before `untilMs`, unless something changes. */
export type AuthorityStep =
  | { readonly kind: 'make'; readonly reason: RotationReason }
  | { readonly kind: 'note-seen'; readonly id: string; readonly isSeen: boolean }
  | {
      readonly kind: 'activate';
      readonly id: string;
      readonly reason: ActivationReason;
      readonly missing: Lacking;
    }
  | { readonly kind: 'taint'; readonly id: string }
  | { readonly kind: 'reissued'; readonly id: string }
  | { readonly kind: 'drop'; readonly id: string; readonly reason: 'Retired' | 'Revoked' | 'Unused' }
  | { readonly kind: 'wait'; readonly untilMs: number };

/** Whether it cannot be done without writing the Secret with the keys; all others change what is remembered alone. */
export function isOfSecret({ kind }: AuthorityStep): boolean {
  return kind === 'make' || kind === 'drop';
}
