import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type AgentFileSet, mountFiles } from '../../../src/dev/folder.ts';
import { useFolder } from '../../support/dev/laptop.ts';

const FILES: AgentFileSet = new Map([
  ['tls/tls.crt', { text: 'certificate', isPrivate: false }],
  ['tls/tls.key', { text: 'key', isPrivate: true }],
  ['bundle/ca.crt', { text: 'roots', isPrivate: false }],
]);

describe('mountFiles', () => {
  const folder = useFolder();
  const agent = () => join(folder.path, 'ai-agents/one');
  const mode = (path: string): number => statSync(join(agent(), path)).mode & 0o777;

  it('lays files out as a kubelet does, for their owner alone', () => {
    expect(mountFiles(agent(), FILES)).to.equal(true);
    const names = readdirSync(agent()).filter((name) => !/^\.\.[0-9]/.test(name));
    expect(names.sort()).to.deep.equal(['..data', 'bundle', 'tls']);
    expect(readlinkSync(join(agent(), 'tls'))).to.equal('..data/tls');
    expect(readlinkSync(join(agent(), '..data'))).to.match(/^\.\.\d{4}_\d\d_\d\d_\d\d_\d\d_\d\d\.\d+$/);
    expect(readFileSync(join(agent(), 'tls/tls.key'), 'utf8')).to.equal('key');
    expect([mode(''), mode('tls'), mode('tls/tls.key'), mode('tls/tls.crt')]).to.deep.equal([
      0o700, 0o700, 0o600, 0o644,
    ]);
  });

  it('touches nothing when the files are as they should be', () => {
    mountFiles(agent(), FILES);
    const before = readlinkSync(join(agent(), '..data'));
    expect(mountFiles(agent(), FILES)).to.equal(false);
    expect(readlinkSync(join(agent(), '..data'))).to.equal(before);
  });

  it('swaps all files and takes away what is too many', () => {
    mountFiles(agent(), FILES);
    mkdirSync(join(agent(), '..2020_01_01_00_00_00.1'));
    const less = new Map([['bundle/ca.crt', { text: 'other roots', isPrivate: false }]]);
    expect(mountFiles(agent(), less)).to.equal(true);
    expect(readdirSync(agent())).to.have.length(3);
    expect(lstatSync(join(agent(), 'tls'), { throwIfNoEntry: false })).to.equal(undefined);
    expect(readFileSync(join(agent(), 'bundle/ca.crt'), 'utf8')).to.equal('other roots');
  });
});
