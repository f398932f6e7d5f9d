import { type Fold, keptFolds } from './kept-folds.js';

const fold = (events: number): Fold<null> => ({
  state: null,
  revision: events - 1,
  hash: '',
  position: null,
  newest: null,
});

describe('Folds in memory', () => {
  it('are as many as their bytes allow, by the number of their events; who was used last stays', () => {
    const folds = keptFolds<null>(10_000);
    for (let n = 0; n < 100; n += 1) {
      folds.set('kept', folds.get('kept') ?? fold(10));
      folds.set(`${n}`, fold(10));
    }
    expect([...folds.keys()]).toEqual(['99', 'kept', '98', '97', '96', '95']);
    folds.set('kept', fold(60));
    expect([...folds.keys()]).toEqual(['kept', '99', '98']);
  });

  it('are one alone that takes more than there is by itself', () => {
    const folds = keptFolds<null>(10_000);
    folds.set('short', fold(1));
    folds.set('long', fold(16_000));
    expect([...folds.keys()]).toEqual(['long']);
  });
});
