import { expect, test } from '@jest/globals';
import { postgresSettings } from './settings.ts';

test('the texts of a Secret become settings', () => {
  expect(postgresSettings({ host: 'db', port: '6432', database: 'shop', user: 'u', password: 'p', ssl: 'require', allowUnauthorizedCerts: 'true', ca: 'PEM', maxConnections: '3' })).toEqual({
    host: 'db', port: 6432, database: 'shop', user: 'u', password: 'p', ssl: { rejectUnauthorized: false, ca: 'PEM' }, maxConnections: 3,
  });
  expect(postgresSettings({ host: 'db', port: 1, ssl: 'allow' })).toEqual({ host: 'db', port: 1, database: 'postgres', user: 'postgres', password: '', ssl: { rejectUnauthorized: true } });
  expect(postgresSettings({ host: 'db' }).ssl).toBe(false);
});

test.each([{}, { host: '/var/run/postgresql' }, { host: 'db', port: 's3cret' }, { host: 'db', port: '0' }, { host: 'db', maxConnections: '1.5' }, { host: 'db', sshTunnel: 'true' }])('refuses %j without showing values', (fields) => {
  expect(() => postgresSettings(fields)).toThrow(expect.objectContaining({ code: 'InvalidCredential', message: expect.not.stringContaining('s3cret') }));
});
