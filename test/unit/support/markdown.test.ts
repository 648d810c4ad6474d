/** The reader of the pages: what it overlooks is not tested. */

import { expect } from 'chai';
import { anchors, codeBlocks, commandsOf, localLinks, namedPaths } from '../../support/markdown.ts';

const PAGE = `# A page: of \`code\`

See [there](other.md#part), ![a picture](images/a.svg), [far](https://example.org) and \`src/cmd/*.ts\`, \`src/\`, \`a/b\`.

\`\`\`yaml file=a.yaml
apiVersion: v1
\`\`\`

\`\`\`console
$ kubectl get pods \\
  -n default
NAME
one
$ kubectl version
\`\`\`

\`\`\`sh
npm test
kubectl apply -f [not](a-link.md)
\`\`\`
`;

describe('codeBlocks', () => {
  it('finds each block with its language, what stands behind it, and its line', () => {
    expect(codeBlocks(PAGE).map(({ language, info, line }) => [language, info, line])).to.deep.equal([
      ['yaml', 'file=a.yaml', 5],
      ['console', '', 9],
      ['sh', '', 17],
    ]);
    expect(codeBlocks(PAGE)[0]?.text).to.equal('apiVersion: v1\n');
  });
});

describe('commandsOf', () => {
  it('joins continued lines and gives each command its output', () => {
    const [, console, shell] = codeBlocks(PAGE);
    expect(console && commandsOf(console)).to.deep.equal([
      { command: 'kubectl get pods   -n default', output: ['NAME', 'one'] },
      { command: 'kubectl version', output: [] },
    ]);
    expect(shell && commandsOf(shell).map(({ command }) => command)).to.deep.equal([
      'npm test',
      'kubectl apply -f [not](a-link.md)',
    ]);
  });
});

describe('localLinks', () => {
  it('finds links and images outside of blocks that stay on this host', () => {
    expect(localLinks(PAGE)).to.deep.equal(['other.md#part', 'images/a.svg']);
  });
});

describe('namedPaths', () => {
  it('finds paths of the repository in backticks', () => {
    expect(namedPaths(PAGE)).to.deep.equal(['src/cmd/*.ts', 'src/']);
  });
});

describe('anchors', () => {
  it('makes them as GitHub does', () => {
    expect(anchors(PAGE)).to.deep.equal(['a-page-of-code']);
  });
});
