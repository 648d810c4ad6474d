/** The checks of `npm run check`, as tests. */

import { expect } from 'chai';
import { CHECKS, runCheck } from '../../../hack/checks.ts';

describe('npm run check', () => {
  for (const check of CHECKS) {
    it(`finds nothing wrong with ${check.name}`, async function () {
      if (check.skipReason !== undefined) this.skip();
      const { passed, output } = await runCheck(check);
      expect(passed, output).to.equal(true);
    });
  }
});
