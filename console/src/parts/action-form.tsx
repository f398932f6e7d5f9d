import { type ReactNode, useId, useState } from 'react';
import { Problem } from '../api/client.js';
import { ProblemNote } from './parts.js';

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly type?: 'text' | 'datetime-local';
  readonly value?: string;
  readonly isOptional?: boolean;
  readonly options?: readonly string[];
}

/** A form, opened by its button, that does one thing to the service and says what came of it. */
export function ActionForm({
  name,
  fields,
  onSend,
  children,
}: {
  readonly name: string;
  readonly fields: readonly Field[];
  /** Throws what the service says against it. */
  readonly onSend: (values: Readonly<Record<string, string>>) => Promise<void>;
  readonly children?: ReactNode;
}) {
  const id = useId();
  const [isOpen, setOpen] = useState(false);
  const [isSending, setSending] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  if (!isOpen) {
    return (
      <button type="button" className="quiet" onClick={() => setOpen(true)}>
        {name}
      </button>
    );
  }
  const send = async (form: FormData): Promise<void> => {
    setSending(true);
    setProblem(null);
    try {
      await onSend(Object.fromEntries([...form].map(([key, value]) => [key, String(value).trim()])));
      setOpen(false);
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem(0, 'unknown', String(error)));
    } finally {
      setSending(false);
    }
  };
  return (
    <form
      className="action"
      aria-label={name}
      onSubmit={(event) => {
        event.preventDefault();
        void send(new FormData(event.currentTarget));
      }}
    >
      {children}
      {fields.map((field) => (
        <Input key={field.name} id={`${id}-${field.name}`} field={field} />
      ))}
      {problem !== null && <ProblemNote problem={problem} />}
      <div className="buttons">
        <button type="submit" disabled={isSending}>
          {name}
        </button>
        <button type="button" className="quiet" onClick={() => setOpen(false)}>
          Leave it
        </button>
      </div>
    </form>
  );
}

function Input({ id, field }: { readonly id: string; readonly field: Field }) {
  const { name, label, type = 'text', value = '', isOptional = false, options } = field;
  return (
    <div>
      <label htmlFor={id}>
        {label}
        {isOptional && <span className="faint"> (may be empty)</span>}
      </label>
      {options === undefined ? (
        <input
          id={id}
          name={name}
          type={type}
          defaultValue={value}
          required={!isOptional}
          autoComplete="off"
        />
      ) : (
        <select id={id} name={name} defaultValue={value}>
          {options.map((option) => (
            <option key={option}>{option}</option>
          ))}
        </select>
      )}
    </div>
  );
}
