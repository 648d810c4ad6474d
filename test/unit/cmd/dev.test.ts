import { resolve } from 'node:path';
import { expect } from 'chai';
import { parseDev } from '../../../src/cmd/dev.ts';

describe('parseDev', () => {
  it('fills in what is left out', () => {
    expect(parseDev(['agents'])).to.deep.equal({
      kind: 'config',
      config: {
        paths: ['agents'],
        out: resolve('.agent-trust'),
        namespace: 'default',
        trustDomain: 'dev.agent-trust.invalid',
        hosts: new Map(),
        isOnce: false,
      },
    });
  });

  it('reads every flag', () => {
    const args = ['a.yaml', '--out=o', '--namespace=n', '--trust-domain=t.test', '--once', 'b.yaml'];
    const hosts = ['--host', 'one=localhost:8441', '--host=n/two=127.0.0.1:8442'];
    expect(parseDev([...args, ...hosts])).to.deep.equal({
      kind: 'config',
      config: {
        paths: ['a.yaml', 'b.yaml'],
        out: resolve('o'),
        namespace: 'n',
        trustDomain: 't.test',
        hosts: new Map([
          ['one', { host: 'localhost', port: 8441 }],
          ['n/two', { host: '127.0.0.1', port: 8442 }],
        ]),
        isOnce: true,
      },
    });
  });

  it('helps', () => expect(parseDev(['--help'])).to.deep.equal({ kind: 'help' }));

  const HOST = '--host must be AGENT=HOST:PORT, for example agent-deployer=localhost:8442';
  const refused: readonly (readonly [readonly string[], string])[] = [
    [[], 'name the files or folders with the manifests of your agents'],
    [['a', '--out='], '--out must be the name of a folder'],
    [['a', '--namespace=A'], '--namespace must be the name of a namespace, for example ai-agents'],
    [
      ['a', '--trust-domain=a/b'],
      '--trust-domain must be a SPIFFE trust domain, for example dev.agent-trust.invalid',
    ],
    [['a', '--host=one'], HOST],
    [['a', '--host=one=localhost'], HOST],
    [['a', '--host=one=localhost:0'], HOST],
    [['a', '--host=one=localhost:65536'], HOST],
    [['a', '--host=../one=localhost:1'], HOST],
    [['a', '--host=one=x:1', '--host=one=x:2'], '--host must name each agent once'],
    [
      ['a', '--host=one=x:1', '--host=two=x:2', '--host=n/three=x:1'],
      '--host: one and n/three cannot both listen at x:1',
    ],
    [
      ['a', '--host=one=localhost:1', '--host=two=127.0.0.1:1'],
      '--host: one and two cannot both listen at 127.0.0.1:1',
    ],
  ];
  for (const [args, problem] of refused) {
    it(`refuses ${args.join(' ') || 'nothing at all'}`, () =>
      expect(parseDev(args)).to.deep.equal({ kind: 'invalid', problems: [problem] }));
  }

  it('refuses a flag that it does not know', () => {
    const parsed = parseDev(['a', '--insecure']);
    expect(parsed.kind === 'invalid' && parsed.problems[0]).to.match(/^Unknown option '--insecure'/);
  });
});
