import type { ReactNode } from 'react';
import { useAnswer } from '../api/use-answer.js';
import { Panel, Shown, Table } from '../parts/parts.js';

interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

interface ListProps<Item> {
  readonly title: string;
  readonly remedy: string;
  readonly columns: readonly string[];
  readonly path: string;
  readonly row: (item: Item, reload: () => void) => ReactNode;
}

/** A list of what ops may have to mend, with its remedy, read anew now and then. */
export function List<Item>({ title, remedy, columns, path, row }: ListProps<Item>) {
  const answer = useAnswer<Page<Item>>(`${path}?limit=100`, 15_000);
  const count =
    answer.body === null ? '' : `${answer.body.items.length}${answer.body.next === null ? '' : '+'}`;
  return (
    <Panel title={title} aside={<span className="faint">{count}</span>}>
      <Shown answer={answer}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="faint">Nothing.</p>
          ) : (
            <>
              <p className="note">{remedy}</p>
              <Table caption={title} columns={columns}>
                {items.map((item) => row(item, answer.reload))}
              </Table>
            </>
          )
        }
      </Shown>
    </Panel>
  );
}
