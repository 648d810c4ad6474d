/** The key that an agent signs its tokens with, from the files that its pod mounts. */

import { isUtf8 } from 'node:buffer';
import { importPrivateJwk } from '../../crypto/jose/private-jwk.ts';
import { createSigner, type Signer } from '../../crypto/jose/signer.ts';
import { readSigningKeys } from '../../domain/signing/key-files.ts';
import { type FileProblem, fileProblem, isProblem } from './file-problem.ts';
import { type FolderFiles, fileOf } from './folder-reading.ts';

const KEYS = 'signing/signing-keys.json';

/**
 * Reads `signing/signing-keys.json`. Which key signs only its state says: its instants are for those who verify.
 *
 * @param known The signer of an earlier reading; returned again when its key is still the one that signs.
 * @returns The signer of the Active key; or what is wrong: there is none, or it is not the key that it says. Errors: none.
 */
export function readSigner(files: FolderFiles, known?: Signer): Signer | FileProblem {
  const content = fileOf(files, KEYS);
  if (isProblem(content)) return content;
  const keys = isUtf8(content) ? readSigningKeys(content.toString('utf8')) : [];
  const [active, ...more] = keys.filter(({ state }) => state === 'Active');
  if (active === undefined || more.length > 0)
    return fileProblem('signing_key_invalid', KEYS, `${KEYS} has not exactly one key of state Active.`);
  if (active.kid === known?.kid) return known;
  const key = importPrivateJwk(active.jwk);
  const signer = key && createSigner(key);
  return signer?.kid === active.kid
    ? signer
    : fileProblem('signing_key_invalid', KEYS, `The Active key of ${KEYS} is not the key that it says.`);
}
