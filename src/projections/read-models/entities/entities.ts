import { BOOKKEEPING_ENTITIES } from './bookkeeping.entities.js';
import { BY_HAND_ENTITIES } from './by-hand.entities.js';
import { FACT_ENTITIES } from './fact.entities.js';
import { GENERATION_ENTITIES } from './generation.entities.js';
import { JUDGEMENT_ENTITIES } from './judgement.entities.js';
import { PAYMENT_ENTITIES } from './payment.entities.js';
import { PlanChangeEntity } from './plan-change.entity.js';
import { SET_ASIDE_ENTITIES } from './set-aside.entities.js';
import { TWO_CLOCK_ENTITIES } from './two-clocks.entities.js';

import { UsageEntity } from './usage.entity.js';

/**
 * Every table of the read side, one entity each. The migrations make the tables (they are partitioned, which TypeORM
 * cannot do); a test holds both equal. Schemas and plain row types, not decorated classes: rows are data, nothing is
 * constructed, and no field needs a `!`; nor does anything hang on what a compiler (tsc, SWC) says of types at run time.
 */
export const projectionEntities = [
  ...FACT_ENTITIES,
  ...JUDGEMENT_ENTITIES,
  ...SET_ASIDE_ENTITIES,
  ...TWO_CLOCK_ENTITIES,
  ...PAYMENT_ENTITIES,
  ...BY_HAND_ENTITIES,
  UsageEntity,
  PlanChangeEntity,
  ...BOOKKEEPING_ENTITIES,
  ...GENERATION_ENTITIES,
];
