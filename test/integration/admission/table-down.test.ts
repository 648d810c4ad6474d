/** The admission table again, with webhook and controller down: what the API server alone still refuses. */

import { TABLE } from './table/rows.ts';
import { itAnswers } from './table/table-cluster.ts';

describe('the admission table with webhook and controller down', () => itAnswers(TABLE, 'down'));
