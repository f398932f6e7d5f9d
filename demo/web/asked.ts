/** The service that the site asks. */
export interface Asked {
  readonly url: string;
  /** A key with every scope that the site needs; it stays here. */
  readonly key: string;
}
