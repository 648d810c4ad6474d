import { expect } from 'chai';
import { effectivePeer, type PeerFacts } from '../../../../src/domain/mesh/ready-peers.ts';

const CALLED = {
  namespace: 'ai-agents',
  labels: { app: 'x' },
  port: 8443,
  rootNamespace: 'istio-system',
};
const OURS: PeerFacts = peer('ours', { createdAt: '2026-01-02T00:00:00Z', mode: 'STRICT' });

function peer(name: string, facts: Partial<PeerFacts> = {}): PeerFacts {
  return {
    namespace: 'ai-agents',
    name,
    createdAt: '2026-01-01T00:00:00Z',
    matchLabels: { app: 'x' },
    mode: 'PERMISSIVE',
    portModes: {},
    ...facts,
  };
}

/** Mode and name of what decides. */
function decided(...peers: readonly PeerFacts[]): string {
  const { mode, by } = effectivePeer(peers, CALLED);
  return `${mode} ${by?.name}`;
}

describe('effectivePeer', () => {
  it('is permissive where nobody says anything', () => {
    expect(decided()).to.equal('PERMISSIVE undefined');
  });

  it('lets the oldest with a selector decide, and of one second the first by name', () => {
    expect(decided(OURS)).to.equal('STRICT ours');
    expect(decided(OURS, peer('older'))).to.equal('PERMISSIVE older');
    expect(decided(OURS, peer('younger', { createdAt: '2026-01-03T00:00:00Z' }))).to.equal('STRICT ours');
    expect(decided(OURS, peer('a', { createdAt: OURS.createdAt }))).to.equal('PERMISSIVE a');
    expect(decided(OURS, peer('z', { createdAt: OURS.createdAt }))).to.equal('STRICT ours');
  });

  it('takes the pod before the namespace, and that before the mesh', () => {
    const namespace = peer('wide', { matchLabels: {}, mode: 'DISABLE' });
    const mesh = peer('mesh', { namespace: 'istio-system', matchLabels: {}, mode: 'STRICT' });
    expect(decided(namespace, mesh, OURS)).to.equal('STRICT ours');
    expect(decided(namespace, mesh)).to.equal('DISABLE wide');
    expect(decided(mesh)).to.equal('STRICT mesh');
  });

  it('takes what is not set from the wider scope', () => {
    const mesh = peer('mesh', { namespace: 'istio-system', matchLabels: {}, mode: 'STRICT' });
    expect(decided(OURS, mesh, peer('older', { mode: 'UNSET' }))).to.equal('STRICT mesh');
  });

  it('takes the mode of the port before that of the object', () => {
    const older = peer('older', { mode: 'STRICT', portModes: { 8443: 'PERMISSIVE' } });
    expect(decided(OURS, older)).to.equal('PERMISSIVE older');
    expect(decided(OURS, { ...older, portModes: { 9090: 'PERMISSIVE' } })).to.equal('STRICT older');
  });

  it('takes no notice of other pods, other namespaces, and selectors in the root namespace', () => {
    const others = [
      peer('a', { matchLabels: { app: 'y' } }),
      peer('a', { namespace: 'other' }),
      peer('a', { namespace: 'istio-system' }),
    ];
    expect(decided(OURS, ...others)).to.equal('STRICT ours');
  });
});
