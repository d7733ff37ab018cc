import { Argument } from 'commander';
import type { Command } from 'commander';
import type { Terminal } from './terminal.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

/** `millrace completion SHELL`: a script made from the commands as they are. */
export function addCompletion(program: Command, terminal: Terminal): void {
  program.command('completion')
    .description('print a completion script; for bash: source <(millrace completion bash)')
    .addArgument(new Argument('<shell>').choices(shells))
    .action((shell: (typeof shells)[number]) => {
      const tree = commandsBelow(program);
      // As a kubectl plugin the program goes by two words, which no shell completes.
      terminal.out({ bash, zsh, fish }[shell](program.name().replace('kubectl ', ''), tree));
    });
}

/** `millrace __complete WORDS…`: what may follow, one a line, and the directive (4: no files) that kubectl wants of plugins. */
export function addPluginCompletion(program: Command, terminal: Terminal): void {
  program.command('__complete [words...]', { hidden: true }).allowUnknownOption().helpOption(false)
    .action((words: string[]) => {
      const last = words.at(-1) ?? '';
      const tree = commandsBelow(program);
      const path = words.slice(0, -1).filter((word) => !word.startsWith('-')).join(' ');
      const known = tree.find((entry) => entry.path === path) ?? tree.findLast((entry) => path.startsWith(`${entry.path} `));
      const fitting = (known?.words ?? []).filter(({ word }) => word.startsWith(last) && (last.startsWith('-') || !word.startsWith('-')) && !word.startsWith('__'));
      terminal.out(`${fitting.map(({ word, about }) => `${word}\t${about}\n`).join('')}:4\n`);
    });
}

interface Completable {
  /** Names of the command and those above it, without the program's. */
  path: string;
  words: { word: string; about: string }[];
}

/** Every command with what may follow it: its subcommands and flags. */
function commandsBelow(command: Command, path: readonly string[] = []): Completable[] {
  const commands = command.createHelp().visibleCommands(command).map((child) => ({ word: child.name(), about: child.description() }));
  const flags = command.createHelp().visibleOptions(command).map((option) => ({ word: option.long ?? option.short ?? '', about: option.description }));
  return [{ path: path.join(' '), words: [...commands, ...flags] }, ...command.createHelp().visibleCommands(command).filter((child) => child.name() !== 'help').flatMap((child) => commandsBelow(child, [...path, child.name()]))];
}

/** bash and zsh: look the words so far up, the flags and their values left out. */
function bash(name: string, tree: readonly Completable[]): string {
  const cases = tree.map(({ path, words }) => `    ${quote(path)}) words=${quote(words.map(({ word }) => word).join(' '))} ;;`);
  return `# bash completion for ${name}
_${name}_completion() {
  local current=\${COMP_WORDS[COMP_CWORD]} path='' words='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) case " ${topWords(tree)} " in *" $word "*) path="\${path:+$path }$word" ;; esac ;; esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ \${#COMPREPLY[@]} -gt 0 ]] || compopt -o default
}
complete -F _${name}_completion ${name}
`;
}

function zsh(name: string, tree: readonly Completable[]): string {
  return `#compdef ${name}
autoload -U +X bashcompinit && bashcompinit
${bash(name, tree)}`;
}

function fish(name: string, tree: readonly Completable[]): string {
  const lines = tree.flatMap(({ path, words }) => {
    const seen = path === '' ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${path.split(' ').at(-1)}`;
    return words.map(({ word, about }) => (word.startsWith('--')
      ? `complete -c ${name} -n ${quote(seen)} -l ${word.slice(2)} -d ${quote(about)}`
      : `complete -c ${name} -n ${quote(seen)} -f -a ${quote(word)} -d ${quote(about)}`));
  });
  return `# fish completion for ${name}\n${lines.join('\n')}\n`;
}

/** All names of commands: whatever else stands on the line is an argument. */
function topWords(tree: readonly Completable[]): string {
  return [...new Set(tree.flatMap(({ path }) => path.split(' ')))].filter((word) => word !== '').join(' ');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
