// Stands in for the public DNS, where *.localhost.localstack.cloud is 127.0.0.1, in Node.js programs of the tests.
const dns = require('dns');
const ours = /(^|\.)localhost(\.localstack\.cloud)?$/;
const lookup = dns.lookup;
dns.lookup = (name, options, done) => {
  if (typeof options === 'function') [options, done] = [{}, options];
  if (!ours.test(name)) return lookup(name, options, done);
  const all = options && options.all;
  process.nextTick(() => (all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)));
};
