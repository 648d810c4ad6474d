/** Reads a list of capabilities, wherever it stands in a spec of ours. */

import type { Capability } from '../capability/capability.ts';
import { isCapabilityName, isResource } from '../capability/parse.ts';
import type { Field, InvalidFields } from './resolve-fields.ts';

/** A capability as people write it. */
export interface CapabilityInput {
  readonly name: string;
  readonly resources?: readonly string[];
  readonly use?: string;
}

const MAX_CAPABILITIES = 64;
const MAX_RESOURCES = 32;

/**
 * The capabilities that are as the schema wants them. What is refused is left out, so that it grants nothing: a resource
 * with its pattern, a capability with its name, and with its last resource, because a capability without any has no limit.
 *
 * @param hasUse Whether `use` means anything here; otherwise it is not looked at.
 */
export function readCapabilities(
  { path, value }: Field<readonly CapabilityInput[]>,
  hasUse: boolean,
  invalid: InvalidFields,
): readonly Capability[] {
  if (value === undefined) return [];
  if (value.length > MAX_CAPABILITIES) {
    invalid.push(`${path} must have at most ${MAX_CAPABILITIES} entries`);
    return [];
  }
  const names = new Set<string>();
  return value.flatMap((input, index) => {
    const at = `${path}[${index}]`;
    if (names.has(input.name)) invalid.push(`${at}.name stands twice: put all resources into one entry`);
    names.add(input.name);
    return readCapability({ path: at, value: input }, hasUse, invalid) ?? [];
  });
}

function readCapability(
  { path, value }: { readonly path: string; readonly value: CapabilityInput },
  hasUse: boolean,
  invalid: InvalidFields,
): Capability | undefined {
  const { name } = value;
  const use = hasUse ? value.use : undefined;
  if (!isCapabilityName(name)) {
    invalid.push(`${path}.name must be an exact name of letters, digits and _ . : -`);
    return undefined;
  }
  if (use !== undefined && use !== 'Invoke' && use !== 'Delegate') {
    invalid.push(`${path}.use must be Invoke or Delegate`);
    return undefined;
  }
  const resources = readResources({ path: `${path}.resources`, value: value.resources }, invalid);
  if (resources?.length === 0) return undefined;
  return {
    name,
    ...(resources === undefined ? {} : { resources }),
    ...(use === undefined ? {} : { use }),
  };
}

function readResources(
  { path, value }: Field<readonly string[]>,
  invalid: InvalidFields,
): readonly string[] | undefined {
  if (value === undefined) return undefined;
  if (value.length === 0 || value.length > MAX_RESOURCES) {
    invalid.push(`${path} must have 1 to ${MAX_RESOURCES} entries; leave it out for no limit`);
    return [];
  }
  return value.filter((resource, index) => {
    if (isResource(resource)) return true;
    invalid.push(
      `${path}[${index}] must be *, or segments like /data/reports/q1 with /* as the last; none may be empty, . or .., or hold % \\ or *`,
    );
    return false;
  });
}
