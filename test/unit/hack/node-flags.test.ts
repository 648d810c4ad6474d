import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../../../hack/checks.ts';
import { NODE_FLAGS } from '../../../hack/operator/operator-process.ts';

describe('the command of the processes', () => {
  it('is the same in the chart, so that what is measured is what runs', () => {
    const chart = readFileSync(join(ROOT, 'helm/agent-trust/templates/_pod.tpl'), 'utf8');
    const command = ['node', ...NODE_FLAGS, 'src/cmd/{{ index . 1 }}.ts'];
    expect(/^ *command: \[(.*)\]$/m.exec(chart)?.[1]?.split(', ')).to.deep.equal(command);
  });

  it('is the same in the image', () => {
    const image = readFileSync(join(ROOT, 'hack/image/Dockerfile'), 'utf8');
    const command = ['node', ...NODE_FLAGS, 'src/cmd/controller.ts'];
    expect(JSON.parse(/^ENTRYPOINT (.*)$/m.exec(image)?.[1] ?? '[]')).to.deep.equal(command);
  });
});
