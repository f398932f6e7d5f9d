export function buildClient(to: string): Promise<void>;
