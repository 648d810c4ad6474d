import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../../../hack/checks.ts';
import { NODE_FLAGS } from '../../../hack/operator/operator-process.ts';

const COMMAND = ['node', ...NODE_FLAGS, 'src/cmd/controller.ts'];

describe('the command of the controller', () => {
  it('is the same in the chart, so that what is measured is what runs', () => {
    const chart = readFileSync(join(ROOT, 'helm/agent-trust/templates/deployment.yaml'), 'utf8');
    expect(/^ +command: \[(.*)\]$/m.exec(chart)?.[1]?.split(', ')).to.deep.equal(COMMAND);
  });

  it('is the same in the image', () => {
    const image = readFileSync(join(ROOT, 'hack/image/Dockerfile'), 'utf8');
    expect(JSON.parse(/^ENTRYPOINT (.*)$/m.exec(image)?.[1] ?? '[]')).to.deep.equal(COMMAND);
  });
});
