import { getEventListeners } from 'node:events';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { readSources } from '../../../src/dev/manifests.ts';
import { SourceWatch } from '../../../src/dev/source-watch.ts';
import { useFolder } from '../../support/dev/laptop.ts';

const NEVER_MS = Number.MAX_SAFE_INTEGER;

describe('SourceWatch', () => {
  const folder = useFolder();
  let file: string;
  let watch: SourceWatch;
  let ending: AbortController;

  const watching = (path: string): SourceWatch => {
    watch = new SourceWatch([path], readSources([path]));
    return watch;
  };

  beforeEach(() => {
    ending = new AbortController();
    file = folder.write('a.yaml', 'one');
  });
  afterEach(() => watch.close());

  it('tells a file that is written', async () => {
    const woken = watching(file).next(NEVER_MS, ending.signal);
    writeFileSync(file, 'two');
    expect(await woken).to.deep.equal({ kind: 'changed', sources: new Map([[file, 'two']]) });
  });

  it('tells a file that is replaced, as editors do it', async () => {
    const woken = watching(file).next(NEVER_MS, ending.signal);
    renameSync(folder.write('a.yaml~', 'two'), file);
    expect(await woken).to.deep.equal({ kind: 'changed', sources: new Map([[file, 'two']]) });
  });

  it('tells a file that is new in a folder, and no other', async () => {
    const agents = join(folder.path, 'agents');
    mkdirSync(agents);
    const woken = watching(agents).next(NEVER_MS, ending.signal);
    writeFileSync(join(agents, 'notes.txt'), '');
    writeFileSync(join(agents, 'b.yaml'), 'b');
    expect(await woken).to.deep.equal({
      kind: 'changed',
      sources: new Map([[join(agents, 'b.yaml'), 'b']]),
    });
  });

  it('tells once that a file is gone, and that it is back', async () => {
    watching(file);
    rmSync(file);
    const gone = await watch.next(NEVER_MS, ending.signal);
    expect(gone.kind === 'unreadable' && gone.message).to.match(/a\.yaml does not exist/);
    const back = watch.next(NEVER_MS, ending.signal);
    writeFileSync(file, 'one');
    expect((await back).kind).to.equal('changed');
  });

  it('tells when it is time', async () => {
    expect(await watching(file).next(Date.now(), ending.signal)).to.deep.equal({ kind: 'due' });
    expect(await watch.next(Date.now() + 50, ending.signal)).to.deep.equal({ kind: 'due' });
    expect(getEventListeners(ending.signal, 'abort')).to.deep.equal([]);
  });

  it('ends with its signal', async () => {
    const woken = watching(file).next(NEVER_MS, ending.signal);
    ending.abort();
    expect(await woken).to.deep.equal({ kind: 'stopped' });
    expect(await watch.next(NEVER_MS, ending.signal)).to.deep.equal({ kind: 'stopped' });
  });
});
