import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { DevFailure } from '../../../src/dev/dev-failure.ts';
import { readManifests, readSources } from '../../../src/dev/manifests.ts';
import { useFolder } from '../../support/dev/laptop.ts';

const read = (text: string) => readManifests(new Map([['a.yaml', text]]));

function failure(run: () => unknown): { readonly message: string; readonly exitStatus: number } {
  try {
    run();
  } catch (error) {
    if (error instanceof DevFailure) return { message: error.message, exitStatus: error.exitStatus };
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('readSources', () => {
  const folder = useFolder();

  it('reads files, and of folders the YAML files that lie directly in them', () => {
    folder.write('b.yaml', 'b');
    folder.write('a.yml', 'a');
    folder.write('package.json', '{}');
    mkdirSync(join(folder.path, 'deeper.yaml'));
    const json = folder.write('named.json', '{}');
    expect([...readSources([folder.path, json])]).to.deep.equal([
      [join(folder.path, 'a.yml'), 'a'],
      [join(folder.path, 'b.yaml'), 'b'],
      [json, '{}'],
    ]);
  });

  it('refuses a path that is not there', () => {
    expect(failure(() => readSources([join(folder.path, 'x.yaml')]))).to.deep.equal({
      message: `${folder.path}/x.yaml does not exist. Name files or folders with the manifests of your agents.`,
      exitStatus: 66,
    });
  });
});

describe('readManifests', () => {
  it('reads every document and every item of a List, and knows where their fields stand', () => {
    const text =
      'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: one\n---\n---\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Namespace\n  metadata:\n    name: two\n';
    const seen = read(text).map(({ object, where }) => [
      object.metadata.name,
      where(),
      where(['metadata', 'name']),
      where(['metadata', 'absent']),
    ]);
    expect(seen).to.deep.equal([
      ['one', 'a.yaml:1', 'a.yaml:4', 'a.yaml:4'],
      ['two', 'a.yaml:10', 'a.yaml:13', 'a.yaml:13'],
    ]);
  });

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['a text that is no YAML', 'kind: [\n', /^a\.yaml:2: /],
    ['a member that stands twice', 'kind: A\nkind: B\n', /^a\.yaml:2: Map keys must be unique$/],
    ['what is no object', '- 1\n', /^a\.yaml:1: this is no object of Kubernetes$/],
    [
      'an object without kind',
      'metadata: {name: x}\n',
      /^a\.yaml:1: apiVersion and kind must say what this is$/,
    ],
    [
      'an object without name',
      'apiVersion: v1\nkind: Pod\n',
      /^a\.yaml:1: metadata\.name must name the object$/,
    ],
  ];
  for (const [what, text, message] of refused) {
    it(`refuses ${what}`, () => {
      const found = failure(() => read(text));
      expect(found.message).to.match(message);
      expect(found.exitStatus).to.equal(65);
    });
  }
});
