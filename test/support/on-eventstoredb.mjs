/** Before the tests of Jest's project `eventstoredb`: services keep their log in an EventStoreDB. */
process.env.TEST_STORE = 'eventstoredb';
