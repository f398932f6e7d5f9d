import { Window } from 'happy-dom';

/** A page of the tests: the globals that React needs, put back at the end. */
export class DomPage {
  readonly window = new Window({ url: 'https://app.test/' });
  readonly #before = new Map<string, PropertyDescriptor | undefined>();

  constructor() {
    this.#set('window', this.window);
    this.#set('document', this.window.document);
    this.#set('navigator', this.window.navigator);
    this.#set('IS_REACT_ACT_ENVIRONMENT', true);
  }

  /** An element of the page to render into. */
  container() {
    const element = this.window.document.createElement('div');
    this.window.document.body.append(element);
    return element;
  }

  async close(): Promise<void> {
    for (const [name, descriptor] of this.#before) {
      if (descriptor === undefined) Reflect.deleteProperty(globalThis, name);
      else Object.defineProperty(globalThis, name, descriptor);
    }
    await this.window.happyDOM.close();
  }

  #set(name: string, value: unknown): void {
    this.#before.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
}
