/** The admin key of every service of the tests. */
export const ADMIN_KEY = 'admin-key-of-the-tests-0123456789abcdef';
