/** The generation that is read, as SQL: in one statement, as of one moment, it is the same wherever it stands. */
export const LIVE = '(select generation from tenure.live_generation)';
