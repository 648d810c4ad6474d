import { expect } from 'chai';
import { dataPlaneOf } from '../../../../src/domain/mesh/resolve-data-plane.ts';

const AMBIENT = { 'istio.io/dataplane-mode': 'ambient' };
const WAYPOINT = { ...AMBIENT, 'istio.io/use-waypoint': 'waypoint' };

describe('dataPlaneOf', () => {
  for (const [labels, service, plane] of [
    [{}, undefined, 'none'],
    [{ 'istio-injection': 'enabled' }, undefined, 'sidecar'],
    [{ 'istio-injection': 'disabled', 'istio.io/rev': 'stable' }, undefined, 'none'],
    [{ 'istio.io/rev': 'stable' }, undefined, 'sidecar'],
    [{ 'istio-injection': 'enabled', ...AMBIENT }, undefined, 'sidecar'],
    [AMBIENT, undefined, 'ambient'],
    [{ ...AMBIENT, 'istio.io/rev': 'stable' }, undefined, 'ambient'],
    [WAYPOINT, undefined, 'waypoint'],
    [WAYPOINT, 'none', 'ambient'],
    [AMBIENT, 'waypoint', 'waypoint'],
    [{ ...AMBIENT, 'istio.io/use-waypoint': 'none' }, undefined, 'ambient'],
    [{ 'istio.io/use-waypoint': 'waypoint' }, 'waypoint', 'none'],
  ] as const) {
    it(`is ${plane} for ${JSON.stringify(labels)}${service === undefined ? '' : `, Service ${service}`}`, () => {
      expect(dataPlaneOf(labels, service)).to.equal(plane);
    });
  }
});
