/** What an AgentIdentity says about its tokens beside their limits, once everything left out is filled in. */

import { type InvalidFields, readWhole, type WholeRange } from '../delegation/resolve-fields.ts';

/** `spec.tokens` as people write it, as far as it is read here. */
export interface TokenSettingsInput {
  readonly maxChildren?: number;
  readonly binding?: string;
  readonly originate?: string;
}

/** The settings. */
export interface TokenSettings {
  readonly maxChildren: number;
  readonly binding: 'Auto' | 'Certificate' | 'Key';
  /** `Auto`, `Always` or `Never`. */
  readonly originate: string;
}

const MAX_CHILDREN = 16;
const CHILDREN: WholeRange = { min: 1, max: 256 };
const BINDINGS = ['Auto', 'Certificate', 'Key'] as const;
const ORIGINATES: readonly string[] = ['Auto', 'Always', 'Never'];

/** Fills in what `tokens` leaves out, and checks again what the schema checks; what is refused stands in `invalid` then. */
export function resolveTokenSettings(
  { maxChildren, binding = 'Auto', originate = 'Auto' }: TokenSettingsInput,
  invalid: InvalidFields,
): TokenSettings {
  const known = BINDINGS.find((each) => each === binding);
  if (known === undefined) invalid.push(`spec.tokens.binding must be one of ${BINDINGS.join(', ')}`);
  if (!ORIGINATES.includes(originate))
    invalid.push(`spec.tokens.originate must be one of ${ORIGINATES.join(', ')}`);
  const children = readWhole({ path: 'spec.tokens.maxChildren', value: maxChildren }, CHILDREN, invalid);
  return { maxChildren: children ?? MAX_CHILDREN, binding: known ?? 'Key', originate };
}
