/** Finds import cycles between files. */

/** An edge of the import graph: the line of `from` that imports `to`. */
export interface Edge {
  readonly from: string;
  readonly line: number;
  readonly to: string;
}

/**
 * One cycle for each import that closes one, found depth first.
 *
 * @returns the edges of each cycle, the closing one last; empty when there is none. Breaking all that are returned
 *   leaves no cycle.
 */
export function findCycles(edges: readonly Edge[]): Edge[][] {
  const outgoing = Map.groupBy(edges, ({ from }) => from);
  const done = new Set<string>();
  const cycles: Edge[][] = [];

  const visit = (file: string, path: readonly Edge[]): void => {
    for (const edge of outgoing.get(file) ?? []) {
      const start = [...path, edge].findIndex(({ from }) => from === edge.to);
      if (start >= 0) cycles.push([...path.slice(start), edge]);
      else if (!done.has(edge.to)) visit(edge.to, [...path, edge]);
    }
    done.add(file);
  };

  for (const file of outgoing.keys()) if (!done.has(file)) visit(file, []);
  return cycles;
}
