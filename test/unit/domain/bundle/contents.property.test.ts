/** Contents of bundles of random worlds: what verifiers read, what the schemas say, and whom they name. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { readIssuers } from '../../../../src/crypto/jose/verifying-key.ts';
import { type BundleContents, bundleContents } from '../../../../src/domain/bundle/contents.ts';
import { bundleFiles, type FileTexts } from '../../../../src/domain/bundle/files.ts';
import { readJwksFile } from '../../../../src/domain/token/state/jwks-file.ts';
import { mergePolicyFiles, readPolicyFile } from '../../../../src/domain/token/state/policy-file.ts';
import { readRevocationsFile } from '../../../../src/domain/token/state/revocations-file.ts';
import { bundleWorld, spiffeIdOf } from '../../../support/bundle/bundle-world.ts';
import { Dice } from '../../../support/random-world.ts';

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const WORLDS = 150;
const MUTATIONS = 60;
const REFERENCE = join(import.meta.dirname, '../../../../docs/reference');
const NAMESPACES = ['north', 'south'];

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
const schemaOf = (name: string): ValidateFunction =>
  ajv.compile(JSON.parse(readFileSync(join(REFERENCE, `${name}.schema.json`), 'utf8')) as object);

interface File {
  readonly isValid: ValidateFunction;
  readonly reads: (json: string) => boolean;
}

const FILES: Readonly<Record<string, File>> = {
  jwks: { isValid: schemaOf('jwks'), reads: (json) => readJwksFile(json) !== undefined },
  policy: { isValid: schemaOf('policy'), reads: (json) => readPolicyFile(json) !== undefined },
  revocations: { isValid: schemaOf('revocations'), reads: (json) => readRevocationsFile(json) !== undefined },
};

function textsOf(contents: BundleContents, partBytes?: number): readonly FileTexts[] {
  const files = bundleFiles(contents, { caPem: 'ca', crlPem: 'crl' }, partBytes);
  if (files.kind === 'too-large') throw new Error('too large');
  return files.parts;
}

/** Changes one place of a JSON value to something else, or takes it away. */
function mutated(dice: Dice, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || dice.chance(0.15)) return other(dice, value);
  const copy = structuredClone(value) as Record<string, unknown>;
  const names = Object.keys(copy);
  if (names.length === 0 || dice.chance(0.1))
    return Object.assign(copy, { [dice.one(['more', 'use', '0'])]: other(dice, 1) });
  const name = dice.one(names);
  if (dice.chance(0.1)) delete copy[name];
  else copy[name] = mutated(dice, copy[name]);
  return copy;
}

function other(dice: Dice, value: unknown): unknown {
  if (typeof value === 'number') return value + dice.one([-1, 1, 1000, 0.5, -1e9]);
  if (typeof value === 'boolean') return dice.chance(0.5) ? !value : String(value);
  if (typeof value !== 'string') return dice.one([null, [], {}, 'x', 1, true]);
  const at = dice.below(value.length + 1);
  return (
    value.slice(0, at) +
    dice.one(['', 'A', '/', '%', ' ', 'é', '..', '*', '=']) +
    value.slice(at + dice.below(2))
  );
}

describe(`bundleContents, over ${WORLDS} worlds from seed ${SEED}`, () => {
  const contents = Array.from({ length: WORLDS }, (_, at) => bundleWorld(SEED + at)).flatMap(({ sources }) =>
    NAMESPACES.map((namespace) => bundleContents(sources, namespace)),
  );

  it('are what readers read and the schemas allow', () => {
    for (const each of contents) {
      const [files = {}] = textsOf(each);
      for (const [name, { isValid, reads }] of Object.entries(FILES)) {
        const text = files[`${name}.json`] ?? '';
        expect(isValid(JSON.parse(text)), ajv.errorsText(isValid.errors)).to.equal(true);
        expect(reads(text), text).to.equal(true);
      }
      expect(readPolicyFile(files['policy.json'] ?? '')).to.deep.equal(each.policy);
      expect(readJwksFile(files['jwks.json'] ?? '')).to.deep.equal(each.jwks);
      expect(readRevocationsFile(files['revocations.json'] ?? '')).to.deep.equal(each.revocations);
      expect(readIssuers(files['jwks.json'] ?? '')?.size).to.equal(each.jwks.issuers.size);
    }
  });

  it('are refused by readers wherever a schema refuses, whatever is changed', () => {
    const dice = new Dice(SEED);
    const counts = { read: 0, refused: 0 };
    for (const each of contents) {
      const [files = {}] = textsOf(each);
      for (const [name, { isValid, reads }] of Object.entries(FILES))
        for (let tries = 0; tries < MUTATIONS; tries++) {
          const json = JSON.stringify(mutated(dice, JSON.parse(files[`${name}.json`] ?? '')));
          const isRead = reads(json);
          counts[isRead ? 'read' : 'refused']++;
          if (isRead)
            expect(isValid(JSON.parse(json)), `${json}: ${ajv.errorsText(isValid.errors)}`).to.equal(true);
        }
    }
    expect(counts.read).to.be.above(1000);
    expect(counts.refused).to.be.above(1000);
  });

  it('are the same bytes in whatever order everything became known', () => {
    for (let at = 0; at < WORLDS; at++) {
      const dice = new Dice(SEED - at);
      const shuffled = (count: number): readonly number[] =>
        Array.from({ length: count }, (_, each) => [dice.below(1000), each] as const)
          .sort(([a], [b]) => a - b)
          .map(([, each]) => each);
      const [one, two] = [bundleWorld(SEED + at), bundleWorld(SEED + at, shuffled)];
      for (const namespace of NAMESPACES)
        expect(textsOf(bundleContents(two.sources, namespace))).to.deep.equal(
          textsOf(bundleContents(one.sources, namespace)),
        );
    }
  });

  it('name nobody but those on a path, and have the keys of those alone who sign on it', () => {
    for (let at = 0; at < WORLDS; at++) {
      const { sources, world } = bundleWorld(SEED + at);
      for (const namespace of NAMESPACES) {
        const { policy, jwks, revocations } = bundleContents(sources, namespace);
        const own = world.agents
          .filter((agent) => agent.namespace === namespace)
          .map((agent) => spiffeIdOf(`${agent.namespace}/${agent.name}`));
        const ends = policy.edges.flatMap(({ from, to }) => [from, to]);
        const known = new Set([...own, ...ends, ...revocations.suspended]);
        expect([...policy.agents.keys()].filter((id) => !known.has(id))).to.deep.equal([]);
        const signers = new Set([...own, ...policy.edges.map(({ from }) => from), ...revocations.suspended]);
        expect([...jwks.issuers.keys()].filter((id) => !signers.has(id))).to.deep.equal([]);
        for (const { agent, namespace: home } of revocations.revocations) {
          if (agent !== undefined) expect([...policy.agents.keys()]).to.include(agent);
          const homes = [...policy.agents.values()].map(({ name }) => name.split('/')[0]);
          if (home !== undefined) expect(homes).to.include(home);
        }
        for (const { server, name } of policy.agents.values())
          if (server !== undefined) expect(name.split('/')[0]).to.equal(namespace);
      }
    }
  });

  it('are the same when they are split and put together again', () => {
    let parts = 0;
    for (const each of contents) {
      const [whole = {}] = textsOf(each);
      const lists = `${whole['jwks.json']}${whole['policy.json']}`.length;
      const rest = 16 * 1024 + (whole['revocations.json'] ?? '').length;
      const texts = textsOf(each, rest + Math.ceil(lists * 0.4) + 1500);
      parts += texts.length - 1;
      const files = Object.entries(Object.assign({}, ...texts) as FileTexts);
      const read = files
        .filter(([name]) => name.startsWith('policy'))
        .map(([, text]) => readPolicyFile(text));
      expect(mergePolicyFiles(read.filter((part) => part !== undefined))).to.deep.equal(each.policy);
      const issuers = files
        .filter(([name]) => name.startsWith('jwks'))
        .flatMap(([, text]) => [...(readJwksFile(text)?.issuers ?? [])]);
      expect(issuers).to.deep.equal([...each.jwks.issuers]);
    }
    expect(parts).to.be.above(WORLDS / 5);
  });
});
