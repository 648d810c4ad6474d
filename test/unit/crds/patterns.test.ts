import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { parse } from 'yaml';

const CRDS = join(import.meta.dirname, '../../../crds');

interface Pattern {
  readonly path: string;
  readonly source: string;
  readonly maxLength: number;
}

/** What makes a badly nested repetition try everything: a long run of what it takes, then one character it refuses. */
const RUNS = ['a', 'A', '0', '-', '.', '/', ':', '_', '9m', 'a.', 'a/', '../', '{a}', '{*}', '//', 'a-', '~'];
const STARTS = ['', '/', 'a', 'https://', 's3:///'];
const REFUSED = ['\u0001', '\n'];

describe('patterns of the CRDs', () => {
  const patterns = readdirSync(CRDS)
    .filter((file) => file.endsWith('.yaml'))
    .flatMap((file) => patternsOf(parse(readFileSync(join(CRDS, file), 'utf8')), file));

  it('are found in every kind', () => {
    const kinds = new Set(patterns.map(({ path }) => path.split('.')[0]));
    expect([...kinds]).to.deep.equal([
      'agentidentities',
      'capabilityboundaries',
      'delegationpolicies',
      'quarantines',
      'tokenrevocations',
    ]);
    expect(patterns.length).to.be.greaterThan(50);
  });

  for (const { path, source, maxLength } of patterns) {
    it(`${path} refuses the longest bad text in time`, () => {
      expect(badTexts(maxLength).filter((text) => !refusesInTime(source, text))).to.deep.equal([]);
    });
  }

  it('would notice an exponential one', () => {
    expect(badTexts(256).some((text) => !refusesInTime('^/([a-z]+|/)*$', text))).to.equal(true);
  });
});

function badTexts(maxLength: number): readonly string[] {
  return RUNS.flatMap((run) => {
    const long = run.repeat(Math.ceil(maxLength / run.length)).slice(0, maxLength);
    return STARTS.flatMap((start) => REFUSED.map((end) => start + long.slice(start.length) + end));
  });
}

/** A deadline, not a measurement: an exponential match of this length would outlive the machine. */
function refusesInTime(source: string, text: string): boolean {
  try {
    return (
      runInNewContext('new RegExp(source, "u").test(text)', { source, text }, { timeout: 1_000 }) === false
    );
  } catch (error) {
    // The error is one of the other context, so instanceof would not know it.
    if ((error as { readonly code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return false;
    throw error;
  }
}

function patternsOf(node: unknown, path: string): readonly Pattern[] {
  if (typeof node !== 'object' || node === null) return [];
  const { pattern, maxLength, type } = node as { pattern?: unknown; maxLength?: unknown; type?: unknown };
  const here =
    typeof pattern === 'string' && type === 'string'
      ? [{ path, source: pattern, maxLength: typeof maxLength === 'number' ? maxLength : 0 }]
      : [];
  const below = Object.entries(node).flatMap(([name, child]) =>
    patternsOf(
      child,
      ['properties', 'schema', 'spec', 'versions', 'openAPIV3Schema', '0'].includes(name)
        ? path
        : `${path}.${name}`,
    ),
  );
  return [...here, ...below];
}
