/** Names of rendered objects. They begin with the role, so that no agent's name can be that of another agent's object. */

import { hash } from 'node:crypto';
import type { MeshRole } from './model.ts';

/** Every pod of an agent carries it with the name of its ServiceAccount; every rendered selector is this one label. */
export const LABEL_IDENTITY = 'agenttrust.dev/identity';

const HASH_LENGTH = 8;

/**
 * `at-<role>-<agent>-<8 hex>`: at most 62 characters for an agent's name of at most 40. The hash keeps two roles or agents
 * apart whose names run together.
 */
export function meshObjectName(
  role: MeshRole,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): string {
  const digest = hash('sha256', `${role}/${namespace}/${name}`, 'hex').slice(0, HASH_LENGTH);
  return `at-${role}-${name}-${digest}`;
}
