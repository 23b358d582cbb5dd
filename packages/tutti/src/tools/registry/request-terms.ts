import { toStem, toTerms, toWords } from "../../base/text-rank.ts";

/** One word of a request: itself, unless it carries no meaning of its own, and other words for the same that tools are described with. */
export interface RequestTerm {
  readonly asked: string | undefined;
  readonly meant: readonly string[];
}

// On the left how people say it, on the right how descriptions of tools do. General words only: what belongs to one product goes into `tags`.
const sayings = `
make new start build compose draft open | create
add put place enter fill | insert create append write
insert append attach | add
save store keep | write create update
write | create save
remove erase forget drop clear discard wipe destroy | delete
delete | remove drop
change edit modify set adjust fix correct replace close rename | update edit
rename | move
update edit | modify change set
undo revert restore back | reset undo revert
show see view display give tell read look check say | get read list retrieve
look find locate seek where | search find
search find | query lookup
which all every overview exist | list
list | get
who people person member colleague team everyone | user member
user | member account
folder | directory
directory | folder
when | time date
structure hierarchy layout | tree
picture photo logo drawing image | image picture media
movie clip film | video
text doc paper letter | document file
big large long size | size length
many much number | count number
sum total average per | aggregate sum
why slow fast | explain performance execution
field column attribute | schema property field
pr prs | pull request
repo repos | repository
bug ticket defect crash problem task | issue
comment reply answer respond | comment reply
send tell announce notify inform say | post message send
message chat said | message history
react emoji thumb like | reaction
said discussed conversation | message history
car drive driving road route | driving direction route travel
far distance | distance
high height altitude | elevation
coordinate latitude longitude | geocode coordinate
address where | geocode address
shop cafe coffee restaurant nearby near | place
open hour review rating | detail
website site url link www com | url navigate page web
visit browse go | navigate
button link | click element
choose pick | select
news headline | news article
remember memorize learn know | memory knowledge entity observation
person company | entity
row entry record item | record document row
record document | document record
pod container cluster deployment service node | kubernetes resource
running alive | status get
log output | log
restart redeploy | rollout restart
command shell run execute | command execute exec
maintenance service | cordon drain
commit staged | commit
changed uncommitted | status change
latest newest recent | latest recent fetch
aside later shelve | stash
switch | checkout switch
wrote author blame | author blame
mail | email
note | page note
step think reason | thought thinking
`;

let meantByStem: ReadonlyMap<string, readonly string[]> | undefined;

function readSayings(): ReadonlyMap<string, readonly string[]> {
  const meanings = new Map<string, readonly string[]>();
  for (const line of sayings.trim().split("\n")) {
    const [said = "", meant = ""] = line.split("|");
    for (const word of toWords(said)) {
      const stem = toStem(word);
      meanings.set(stem, [...new Set([...(meanings.get(stem) ?? []), ...toWords(meant).map(toStem)])]);
    }
  }
  return meanings;
}

/** The distinct words of a request. A name like `notes.txt` also says "file", an address also says "url". */
export function toRequestTerms(request: string): RequestTerm[] {
  meantByStem ??= readSayings();
  const meanings = meantByStem;
  const plain = request
    .replaceAll(/\bhttps?:\S+|\b[\w-]+\.(?:com|org|net|io|dev)\b/gu, "$& url")
    .replaceAll(/\b[\w-]+\.(?!com\b|org\b|net\b|io\b|dev\b)\p{L}\w{0,4}\b/gu, "$& file");
  const asked = new Set(toTerms(plain));
  const stems = new Set([...asked, ...toWords(plain).map(toStem)]);
  return [...stems].map((stem) => ({ asked: asked.has(stem) ? stem : undefined, meant: meanings.get(stem) ?? [] }));
}
