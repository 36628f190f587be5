import { defineSink } from 'patchbay/plugin-api';

/** Says `remote`, so that the gateway does for it all that it does for a peer that confirms. */
export default defineSink({
  custody: 'remote',
  create: () => ({
    open() {
      // There is no peer.
    },
    write() {
      // All of it is done.
    },
    close() {
      // Nothing is held.
    },
  }),
});
