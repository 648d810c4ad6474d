/** A rotation of the authority while agents talk, and all leaves replaced at once while new agents come. */

import { probedRows } from './rotation-probed.ts';
import { reissueRows } from './rotation-reissue.ts';
import type { BenchRow } from './row.ts';

/**
 * Measures.
 *
 * - `handshakes`, `failed-handshakes`: between the pods of four agents in one accelerated rotation.
 * - `reissue-all`, `new-identity-p99`: with `count` identities whose authority is tainted.
 */
export async function benchRotation({ count }: { readonly count: number }): Promise<readonly BenchRow[]> {
  return [...(await probedRows()), ...(await reissueRows({ count }))];
}
