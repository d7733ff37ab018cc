import { DateTime } from 'luxon';
import type { Item } from '../../engine/item.ts';

/** What a schedule trigger puts out for a tick: the moment in the workflow's timezone, in n8n's fields. */
export function tickItem(tick: number, timezone: string): Item {
  const at = DateTime.fromMillis(tick, { zone: timezone, locale: 'en-US' });
  const time = at.toFormat('h:mm:ss a').toLowerCase();
  return {
    json: {
      timestamp: at.toFormat("yyyy-MM-dd'T'HH:mm:ss.SSSZZ"),
      'Readable date': `${at.toFormat('MMMM')} ${ordinal(at.day)} ${at.toFormat('yyyy')}, ${time}`,
      'Readable time': time,
      'Day of week': at.toFormat('cccc'),
      Year: at.toFormat('yyyy'),
      Month: at.toFormat('MMMM'),
      'Day of month': at.toFormat('dd'),
      Hour: at.toFormat('HH'),
      Minute: at.toFormat('mm'),
      Second: at.toFormat('ss'),
      Timezone: `${timezone} (UTC${at.toFormat('ZZ')})`,
    },
  };
}

function ordinal(day: number): string {
  const teens = day >= 11 && day <= 13;
  return `${day}${teens ? 'th' : (['th', 'st', 'nd', 'rd'][day % 10] ?? 'th')}`;
}
