/** The bench of leaf issuance as rows. */

import { benchLeafIssuance } from './leaf-issuance.ts';
import type { BenchRow } from './row.ts';

/** One row: leaves per second of one core. */
export async function leafIssuanceRows({ count }: { readonly count: number }): Promise<readonly BenchRow[]> {
  const { perSecond, floorPerSecond, ratio } = await benchLeafIssuance({ count });
  return [
    {
      name: 'leaf-issuance',
      value: perSecond,
      unit: 'leaves/s',
      floor: floorPerSecond,
      ratio,
      goal: 'ratio at least 0.80, aim 0.90',
    },
  ];
}
