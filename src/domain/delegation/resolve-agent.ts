/** What an AgentIdentity means for delegation once everything left out is filled in. */

import { resolveTokenSettings, type TokenSettingsInput } from '../bundle/token-settings.ts';
import type { AgentFacts, Consent } from './facts.ts';
import { type CapabilityInput, readCapabilities } from './resolve-capabilities.ts';
import { type InvalidFields, readSeconds, readWhole, TTL_SECONDS, USES } from './resolve-fields.ts';

/** The part of the spec of an AgentIdentity that is about delegation, as people write it. */
export interface AgentInput {
  readonly capabilities?: readonly CapabilityInput[];
  readonly acceptFrom?: readonly { readonly namespace: string; readonly agents?: readonly string[] }[];
  readonly tokens?: TokenSettingsInput & { readonly maxTTL?: string; readonly maxUses?: number };
}

/** The facts but whether it is served, and field and rule of what is refused: with any here it must not be. */
export interface ResolvedAgent {
  readonly facts: Omit<AgentFacts, 'isServed'>;
  readonly invalidFields: readonly string[];
}

const MAX_TTL_SECONDS = 300;
const MAX_USES = 5;

/** Fills in what `spec` leaves out, and checks again what the schema checks. Errors: none. */
export function resolveAgent(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  spec: AgentInput,
): ResolvedAgent {
  const invalidFields: InvalidFields = [];
  const { capabilities, acceptFrom = [], tokens = {} } = spec;
  const facts = {
    namespace,
    name,
    capabilities: readCapabilities({ path: 'spec.capabilities', value: capabilities }, true, invalidFields),
    acceptFrom: acceptFrom.map(consentOf),
    tokens: {
      maxTtlSeconds:
        readSeconds({ path: 'spec.tokens.maxTTL', value: tokens.maxTTL }, TTL_SECONDS, invalidFields) ??
        MAX_TTL_SECONDS,
      maxUses:
        readWhole({ path: 'spec.tokens.maxUses', value: tokens.maxUses }, USES, invalidFields) ?? MAX_USES,
    },
  };
  resolveTokenSettings(tokens, invalidFields);
  return { facts, invalidFields };
}

/** Names that are none match nobody, so there is nothing to refuse. */
function consentOf({ namespace, agents }: Consent): Consent {
  return { namespace, ...(agents === undefined ? {} : { agents }) };
}
