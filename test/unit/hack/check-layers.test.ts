/** Small trees that the layer check accepts or rejects. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { checkLayers } from '../../../hack/check-layers.ts';
import { LAYERS, layersTable } from '../../../hack/layers.ts';

let root: string;

/** Writes the files (path below src/ to text) and checks them. */
function check(files: Readonly<Record<string, string>>): string[] {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, 'src', path)), { recursive: true });
    writeFileSync(join(root, 'src', path), text);
  }
  return checkLayers(root);
}

describe('checkLayers', () => {
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'layers-'));
    mkdirSync(join(root, 'src'));
  });

  afterEach(() => rmSync(root, { recursive: true }));

  it('accepts an empty tree', () => {
    expect(check({})).to.deep.equal([]);
  });

  it('accepts an import of a folder that the table allows', () => {
    expect(
      check({ 'controllers/leaf/plan.ts': "import { plan } from '../../domain/plan.ts';\n" }),
    ).to.deep.equal([]);
  });

  it('rejects an import of a folder that the table does not allow', () => {
    expect(check({ 'kube/queue.ts': "\nimport { plan } from '../domain/plan.ts';\n" })).to.deep.equal([
      'src/kube/queue.ts:2: kube may not import domain (src/domain/plan.ts)',
    ]);
  });

  it('rejects controllers, admission and tokens that import each other', () => {
    const siblings = ['controllers', 'admission', 'tokens'];
    const edges = siblings.flatMap((from) =>
      siblings.filter((to) => to !== from).map((to) => ({ from, to })),
    );
    const files = edges.map(({ from, to }) => [`${from}/${to}.ts`, `import '../${to}/x.ts';\n`]);
    const problems = edges.map(
      ({ from, to }) => `src/${from}/${to}.ts:1: ${from} may not import ${to} (src/${to}/x.ts)`,
    );
    expect(check(Object.fromEntries(files))).to.deep.equal(problems.sort());
  });

  it('accepts imports within a folder, of packages and of node', () => {
    const text = "import './b.ts';\nimport { x } from 'undici';\nimport { y } from 'node:fs';\n";
    expect(check({ 'kube/a.ts': text })).to.deep.equal([]);
  });

  const FORMS = {
    static: "import { a } from '../kube/a.ts';",
    default: "import a from '../kube/a.ts';",
    namespace: "import * as a from '../kube/a.ts';",
    'side effect': "import '../kube/a.ts';",
    type: "import type { A } from '../kube/a.ts';",
    'inline type': "import { type A, type B } from '../kube/a.ts';",
    'many lines': "import {\n  a,\n  b,\n} from '../kube/a.ts';",
    dynamic: "const a = await import('../kube/a.ts');",
    'type query': "type A = import('../kube/a.ts').A;",
    're-export': "export { a } from '../kube/a.ts';",
    're-export of types': "export type { A } from '../kube/a.ts';",
    're-export of everything': "export * from '../kube/a.ts';",
    worker: "new Worker(new URL('../kube/a.ts', import.meta.url));",
  };
  for (const [form, text] of Object.entries(FORMS)) {
    it(`rejects a forbidden import of the form ${form}`, () => {
      expect(check({ 'domain/x.ts': `${text}\n` })).to.deep.equal([
        'src/domain/x.ts:1: domain may not import kube (src/kube/a.ts)',
      ]);
    });
  }

  it('accepts what looks like an import in a comment', () => {
    const text = "// import { a } from '../kube/a.ts';\n/**\n * import { b } from '../kube/b.ts';\n */\n";
    expect(check({ 'domain/x.ts': text })).to.deep.equal([]);
  });

  it('rejects a dynamic import whose path is computed', () => {
    expect(check({ 'cmd/x.ts': 'const a = await import(path);\n' })).to.deep.equal([
      'src/cmd/x.ts:1: an import computed at run time cannot be checked',
    ]);
  });

  for (const specifier of ['#domain/x', '/src/domain/x.ts', 'file:///src/domain/x.ts', 'agent-trust/sdk']) {
    it(`rejects ${specifier}, which hides where it leads`, () => {
      expect(check({ 'cmd/x.ts': `import '${specifier}';\n` })).to.deep.equal([
        `src/cmd/x.ts:1: write ${specifier} as a relative path`,
      ]);
    });
  }

  for (const outside of ['test/support/x.ts', 'hack/x.ts', 'package.json']) {
    it(`rejects an import of ${outside}`, () => {
      expect(check({ 'cmd/x.ts': `import x from '../../${outside}';\n` })).to.deep.equal([
        `src/cmd/x.ts:1: src may not import ${outside}`,
      ]);
    });
  }

  it('rejects a file in a folder that the table does not know', () => {
    expect(check({ 'shared/x.ts': '' })).to.deep.equal([
      'src/shared/x.ts:1: unknown folder src/shared (see hack/layers.ts)',
    ]);
  });

  it('rejects a file in no folder', () => {
    expect(check({ 'x.ts': '' })).to.deep.equal(['src/x.ts:1: lies in no folder (see hack/layers.ts)']);
  });

  it('accepts 300 lines', () => {
    expect(check({ 'domain/x.ts': '\n'.repeat(300) })).to.deep.equal([]);
  });

  it('rejects 301 lines', () => {
    expect(check({ 'domain/x.ts': '\n'.repeat(301) })).to.deep.equal([
      'src/domain/x.ts:301: 301 lines, 300 at most',
    ]);
  });

  it('accepts any length of a generated file', () => {
    expect(check({ 'api/generated/x.ts': '\n'.repeat(301) })).to.deep.equal([]);
  });

  it('accepts files that import the same file', () => {
    const files = {
      'domain/a.ts': "import './b.ts';\nimport './c.ts';\n",
      'domain/b.ts': "import './c.ts';\n",
    };
    expect(check(files)).to.deep.equal([]);
  });

  it('rejects a file that imports itself', () => {
    expect(check({ 'domain/a.ts': "import './a.ts';\n" })).to.deep.equal([
      'src/domain/a.ts:1: import cycle: src/domain/a.ts -> src/domain/a.ts',
    ]);
  });

  it('rejects a cycle of files, of types too', () => {
    const files = {
      'domain/a.ts': "import './b.ts';\n",
      'domain/b.ts': "import './c.ts';\n",
      'domain/c.ts': "\nimport type { B } from './b.ts';\n",
    };
    expect(check(files)).to.deep.equal([
      'src/domain/c.ts:2: import cycle: src/domain/b.ts -> src/domain/c.ts -> src/domain/b.ts',
    ]);
  });
});

describe('LAYERS', () => {
  it('lets a folder import only folders above it, and observe', () => {
    const upward = LAYERS.flatMap(({ folder, mayImport }, index) => {
      const above = new Set([...LAYERS.slice(0, index).map((layer) => layer.folder), 'observe']);
      return mayImport.filter((target) => !above.has(target)).map((target) => `${folder} -> ${target}`);
    });
    expect(upward).to.deep.equal([]);
  });

  it('names each folder once', () => {
    const folders = LAYERS.map(({ folder }) => folder);
    expect(folders).to.deep.equal([...new Set(folders)]);
  });
});

describe('layersTable', () => {
  it('has a row for each folder', () => {
    const rows = layersTable().split('\n');
    expect(rows.length).to.equal(LAYERS.length + 2);
    expect(rows[3]).to.match(/^\| `domain` \| .+ \| nothing of ours \|$/);
    expect(rows[4]).to.match(/^\| `crypto` \| .+ \| `domain` \|$/);
  });
});
