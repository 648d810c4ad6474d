import { expect } from 'chai';
import fc from 'fast-check';
import type { MeshRole } from '../../../../src/domain/mesh/model.ts';
import { meshObjectName } from '../../../../src/domain/mesh/names.ts';

const role = fc.constantFrom<MeshRole>('allow', 'fence', 'verify', 'mtls', 'net', 'dryallow', 'dryfence');
const agent = fc.record({
  namespace: fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,10}[a-z0-9])?$/),
  name: fc.stringMatching(/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/),
});

describe('meshObjectName', () => {
  it('begins with the role and ends with the hash', () => {
    const name = meshObjectName('allow', { namespace: 'ai-agents', name: 'agent-deployer' });
    expect(name).to.match(/^at-allow-agent-deployer-[0-9a-f]{8}$/);
  });

  it('is a DNS label of at most 63 characters', () => {
    fc.assert(
      fc.property(role, agent, (each, of) => {
        expect(meshObjectName(each, of)).to.match(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
      }),
    );
  });

  it('is the name of one object of one agent only', () => {
    fc.assert(
      fc.property(role, agent, role, agent, (a, of, b, other) => {
        const isSame = a === b && of.name === other.name && of.namespace === other.namespace;
        expect(meshObjectName(a, of) === meshObjectName(b, other)).to.equal(isSame);
      }),
    );
  });

  it('tells agents apart whose names run together with a role', () => {
    const [a, b] = [
      meshObjectName('allow', { namespace: 'ns', name: 'x' }),
      meshObjectName('dryallow', { namespace: 'ns', name: 'x' }),
    ];
    expect(a).to.not.equal(b);
    expect(meshObjectName('net', { namespace: 'a', name: 'b' })).to.not.equal(
      meshObjectName('net', { namespace: 'b', name: 'b' }),
    );
  });
});
