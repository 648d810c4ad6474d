/** What the API server itself counted: the only count that no client can get wrong. */

/** Writes since the server started, by resource (`secrets`, `agentidentities/status`, ...). */
export type WriteCounts = ReadonlyMap<string, number>;

const WRITE_VERBS = new Set(['POST', 'PUT', 'PATCH', 'APPLY', 'DELETE']);
const SAMPLE = /^apiserver_request_total\{([^}]*)\} ([0-9.e+]+)$/;
const LABEL = /([a-z_]+)="([^"]*)"/g;

/** Reads `apiserver_request_total`. */
export async function writeCounts(readMetrics: () => Promise<string>): Promise<WriteCounts> {
  const counts = new Map<string, number>();
  for (const line of (await readMetrics()).split('\n')) {
    const [, labels = '', value = '0'] = SAMPLE.exec(line) ?? [];
    const label = new Map([...labels.matchAll(LABEL)].map(([, name = '', text = '']) => [name, text]));
    if (!WRITE_VERBS.has(label.get('verb') ?? '')) continue;
    const subresource = label.get('subresource');
    const resource = `${label.get('resource')}${subresource ? `/${subresource}` : ''}`;
    counts.set(resource, (counts.get(resource) ?? 0) + Number(value));
  }
  return counts;
}

/** What came on top. */
export function countsSince(before: WriteCounts, after: WriteCounts): WriteCounts {
  return new Map(
    [...after]
      .map(([resource, count]): [string, number] => [resource, count - (before.get(resource) ?? 0)])
      .filter(([, count]) => count > 0),
  );
}
