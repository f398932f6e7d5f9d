import type { Account } from '../account.js';
import type { InvoicePayment, PaymentIntent } from '../types.js';
import { paymentFailed } from './invoice-payments.js';
import { settleInvoice } from './invoicing.js';
import { cancelIntent } from './payments.js';

/** Lets invoices follow what becomes of the intents by which they are paid, and intents what becomes of their invoices. */
export function followPayments(account: Account): void {
  account.react((happening) => {
    switch (happening.kind) {
      case 'intent_succeeded':
        return intentSucceeded(account, happening.intent);
      case 'intent_processing': {
        const invoice = account.invoices.find(paymentOf(account, happening.intent)?.invoice ?? '');
        if (invoice !== undefined) account.tell({ kind: 'invoice_processing', invoice });
        return;
      }
      case 'intent_failed': {
        const invoice = account.invoices.find(paymentOf(account, happening.intent)?.invoice ?? '');
        if (invoice?.status === 'open') paymentFailed(account, invoice);
        return;
      }
      case 'intent_requires_action': {
        const invoice = account.invoices.find(paymentOf(account, happening.intent)?.invoice ?? '');
        if (invoice !== undefined) account.emit('invoice.payment_action_required', invoice);
        return;
      }
      case 'invoice_voided':
        for (const payment of account.invoicePayments.select({ by: ['invoice', happening.invoice.id] })) {
          abandon(account, payment);
        }
    }
  });
}

function paymentOf(account: Account, intent: PaymentIntent): InvoicePayment | undefined {
  return account.invoicePayments.select({ by: ['payment_intent', intent.id] }).next().value ?? undefined;
}

function intentSucceeded(account: Account, intent: PaymentIntent): void {
  const payment = paymentOf(account, intent);
  const invoice = account.invoices.find(payment?.invoice ?? '');
  if (payment === undefined || invoice === undefined) return;
  const paid = account.change(account.invoicePayments, payment.id, {
    amount_paid: intent.amount,
    status: 'paid',
    status_transitions: { canceled_at: null, paid_at: account.now },
  });
  settleInvoice(account, invoice, { attempted: true, amount_paid: intent.amount });
  account.emit('invoice_payment.paid', paid);
}

function abandon(account: Account, payment: InvoicePayment): void {
  if (payment.status !== 'open') return;
  account.change(account.invoicePayments, payment.id, {
    status: 'canceled',
    status_transitions: { canceled_at: account.now, paid_at: null },
  });
  const intent = account.paymentIntents.find(payment.payment.payment_intent ?? '');
  if (intent !== undefined && intent.status !== 'succeeded' && intent.status !== 'canceled') {
    cancelIntent(account, intent, 'void_invoice');
  }
}
