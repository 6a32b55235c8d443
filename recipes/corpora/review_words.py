"""Every list and every phrasing that `mini/reviews` is made of"""

WOMEN = (
    "Abigail Adele Agatha Aiko Alina Amara Anneke Annika Antonia Aoife Ayesha Beatrix Bernadette Bettina Bridget Carlotta "
    "Cecilia Celeste Chiara Claudine Constanza Cordelia Dagny Daniela Deirdre Dolores Dorothea Elena Eleni Eliza Elsbeth "
    "Emilia Esperanza Estelle Eugenia Fenella Filippa Flavia Francesca Gabriela Georgina Gertrude Gisela Gwendolyn Hanne "
    "Harriet Helena Henrietta Hermione Imogen Isabel Ivy Jacinta Jocelyn Josefina Judith Katarzyna Keiko Lavinia Leticia "
    "Lieselotte Lorena Lucinda Magdalena Maeve Marguerite Marisol Mathilde Meera Millicent Miriam Nadia Natasha Nneka Octavia "
    "Odile Ottilie Patricia Philippa Ramona Rebecca Renée Rosalind Roxanne Sabine Saskia Shanti Sigrid Simone Sinéad Soledad "
    "Svetlana Sylvie Tamsin Theodora Tilda Ursula Valentina Veronica Wilhelmina Winifred Yasmin Yolanda Zuzana"
).split()

MEN = (
    "Abelard Alasdair Albert Alejandro Alfonso Ambrose Anatol Andreas Anton Archibald Arturo Augustin Baptiste Barnaby Bartosz "
    "Benedict Bernard Bertram Boyd Callum Cedric Claudio Conrad Cornelius Cuthbert Damian Declan Desmond Dominic Duncan Edgar "
    "Edmund Eduardo Elias Emil Ernesto Eugene Ezra Fabian Ferdinand Fergus Fernando Gareth Geoffrey Gerald Gilbert Giovanni "
    "Godfrey Gregory Gunnar Hamish Harald Hector Henrik Horace Hugo Humphrey Ignatius Igor Ivor Jasper Javier Jeremiah Joachim "
    "Joaquín Julius Kazuo Kenji Kwame Laurence Leopold Lorenzo Lucian Ludwig Magnus Marcel Maurice Maximilian Milan Mortimer "
    "Nathaniel Nikos Octavio Olaf Orlando Oswald Pablo Patrick Percival Quentin Rajesh Ramón Raymond Reinhold Roderick Roland "
    "Rupert Salvador Sebastian Siegfried Silas Stefan Takeshi Théo Tobias Umberto Vaclav Vincent Walther Wendell Wolfgang Zoltán"
).split()

SURNAME_HEADS = (
    "Ald Arv Bald Bess Brem Brann Cald Cass Corl Dann Dell Drav Elb Enn Fald Fenn Gall Garr Hald Hess Ind Jarr Kell Korb Lamm "
    "Lorr Marr Mell Nedd Norv Obr Oss Pell Perr Quill Rann Redd Rosk Sann Sell Strand Tamm Telm Ull Vann Vell Wend Wess Yarr Zell"
).split()
SURNAME_TAILS = "aby ander avane eby endick erholt etti ick inen omar oski ovan umara une uzzo wyn".split()

# Combinations that are well-known names or ordinary words.
SKIPPED_SURNAMES = frozenset(
    "Aldwyn Cassander Cassavane Garrick Hessick Kellwyn Marrick Perrick Tamomar Redduzzo Sellick Aldander Arvaby Indick".split()
)

TITLE_FIRST = (
    "Amber Ashen Barefoot Borrowed Brass Broken Burning Cardboard Cinder Clockwork Copper Crimson Crooked Distant Drowned Eleven "
    "Emerald Endless Faded Feathered Forgotten Forty Fourteen Gilded Glass Hollow Hungry Indigo Iron Ivory Jaded Lantern Laughing "
    "Lead Limping Lopsided Marble Midnight Mirrored Marshy Nameless Nine Nocturnal Northern Orphaned Painted Paper Patient Pewter "
    "Phantom Porcelain Quarrelsome Rented Restless Rusty Saffron Salted Scarlet Scattered Seven Shattered Shivering Sleepless "
    "Steadfast Sunken Tattered Thirsty Thirteen Thorny Trembling Twelve Unwritten Velvet Vermilion Wandering Whispering Wicked "
    "Winding Windless Woollen"
).split()

TITLE_LAST = (
    "Alibi Almanac Anchor Apprentice Arcade Archive Avalanche Balcony Ballad Banquet Beacon Bicycle Botanist Bridge Canary "
    "Caravan Carnival Carousel Cathedral Chandelier Chimney Cipher Compass Corridor Courier Cradle Crossing Dagger Daughter "
    "Dynasty Echo Eclipse Embrace Estuary Fable Falcon Ferryman Fiddle Fortress Fountain Furnace Gambit Gardener Ghost Glacier "
    "Harvest Heiress Horizon Hostage Hourglass Inheritance Interval Juggler Kingdom Labyrinth Lagoon Lighthouse Locksmith "
    "Lullaby Magpie Masquerade Meridian Mirage Monsoon Nightingale Oath Orchard Parade Parrot Pilgrim Prairie Promise Quarry "
    "Ransom Rehearsal Reservoir Riddle Sailor Sanctuary Serenade Shepherd Silhouette Sparrow Staircase Stranger Tempest Tide "
    "Tournament Umbrella Verdict Vineyard Voyage Waltz Widow Window Witness Zephyr"
).split()

_LISTS = """
good: absorbing; affecting; amusing; assured; beautiful; brilliant; captivating; charming; clever; compelling; confident; delightful; elegant; enchanting; engaging; engrossing; entertaining; enthralling; exhilarating; exquisite; fascinating; fine; fresh; generous; gentle; good; graceful; great; gripping; heartfelt; honest; humane; hypnotic; imaginative; ingenious; inspired; intelligent; intriguing; inventive; likeable; lively; lovely; luminous; magnificent; masterful; memorable; mesmerising; moving; original; outstanding; perceptive; playful; poetic; poignant; powerful; profound; radiant; refreshing; remarkable; rewarding; rich; riveting; satisfying; sensitive; sharp; shrewd; sincere; smart; spellbinding; splendid; stirring; striking; stunning; subtle; superb; surprising; tender; terrific; thoughtful; touching; unforgettable; uplifting; vivid; warm; well-made; wise; witty; wonderful
graded: absorbing; affecting; amusing; beautiful; captivating; charming; clever; compelling; confident; delightful; elegant; enchanting; engaging; engrossing; entertaining; exhilarating; fascinating; fine; fresh; generous; gentle; good; gripping; heartfelt; honest; humane; hypnotic; imaginative; ingenious; intelligent; intriguing; inventive; likeable; lively; lovely; memorable; moving; original; perceptive; playful; poetic; poignant; powerful; profound; radiant; refreshing; remarkable; rewarding; rich; satisfying; sensitive; sharp; shrewd; sincere; smart; stirring; striking; subtle; surprising; tender; thoughtful; touching; uplifting; vivid; warm; wise; witty
long_good: absorbing; affecting; amusing; assured; beautiful; captivating; charming; compelling; confident; delightful; elegant; enchanting; engaging; engrossing; entertaining; enthralling; exhilarating; exquisite; fascinating; generous; graceful; gripping; heartfelt; honest; hypnotic; imaginative; ingenious; inspired; intelligent; intriguing; inventive; likeable; luminous; memorable; mesmerising; moving; original; perceptive; playful; poetic; poignant; powerful; profound; radiant; refreshing; remarkable; rewarding; riveting; satisfying; sensitive; spellbinding; stirring; striking; surprising; thoughtful; touching; uplifting; vivid
"""

_LISTS += """
bad: aimless; amateurish; annoying; atrocious; awful; awkward; bad; bland; bloated; boring; chaotic; charmless; cheap; clumsy; cold; confused; confusing; contrived; crude; cynical; derivative; dire; disappointing; dismal; drab; dreadful; dreary; dull; embarrassing; empty; exhausting; feeble; flat; forced; forgettable; formulaic; frustrating; glib; half-baked; hollow; horrible; humourless; inane; incoherent; inept; insipid; irritating; joyless; laboured; lazy; leaden; lifeless; listless; ludicrous; mechanical; mediocre; messy; mindless; misguided; monotonous; muddled; overblown; patronising; plodding; pointless; pompous; poor; predictable; preposterous; pretentious; ridiculous; sappy; shallow; shapeless; shoddy; silly; sloppy; sluggish; stale; stiff; stilted; stupid; tedious; terrible; thin; tired; tiresome; toothless; trite; turgid; unbearable; unconvincing; uneven; uninspired; unpleasant; vapid; weak; wearisome; wooden; wretched
long_bad: aimless; amateurish; annoying; awful; awkward; bloated; boring; chaotic; charmless; confused; confusing; contrived; cynical; derivative; disappointing; dismal; embarrassing; exhausting; feeble; forced; forgettable; formulaic; frustrating; half-baked; humourless; inane; incoherent; inept; insipid; irritating; joyless; laboured; leaden; lifeless; listless; ludicrous; mechanical; mediocre; mindless; misguided; monotonous; muddled; overblown; patronising; plodding; pointless; pompous; predictable; preposterous; pretentious; ridiculous; shallow; shapeless; sluggish; stilted; stupid; tedious; tiresome; toothless; turgid; unbearable; unconvincing; uneven; uninspired; unpleasant; vapid; wearisome; wooden; wretched
"""

_LISTS += """
fine: brilliant; dazzling; effective; elegant; excellent; expert; faultless; fine; first-class; first-rate; flawless; good; imaginative; immaculate; impeccable; impressive; ingenious; inspired; inventive; magnificent; marvellous; meticulous; ravishing; remarkable; sophisticated; splendid; striking; stunning; superb; terrific; wonderful; world-class
fine_graded: accomplished; effective; elegant; fine; good; imaginative; impressive; ingenious; inventive; polished; sophisticated; striking; stylish; tasteful
shoddy: abysmal; amateurish; appalling; atrocious; awful; bad; bargain-basement; botched; careless; clumsy; crude; dismal; dreadful; hideous; incompetent; lamentable; lazy; lousy; mediocre; poor; ropey; rotten; second-rate; shoddy; slapdash; sloppy; tacky; terrible; unimaginative; uninspired; woeful
lovely: beautiful; delicious; delightful; enchanting; glorious; heavenly; lovely; magical; melancholy; memorable; mysterious; pleasant; romantic; satisfying; splendid; wonderful
"""

_LISTS += """
very: almost unbearably; consistently; deeply; enormously; extremely; genuinely; incredibly; oddly; positively; properly; quite; rather; really; so; surprisingly; terribly; thoroughly; truly; unexpectedly; very; wonderfully
badly: astonishingly; depressingly; desperately; downright; fatally; hopelessly; incredibly; insultingly; just plain; painfully; relentlessly; simply; so; strangely; thoroughly; unforgivably; utterly; weirdly
above: above all; especially; particularly; most of all; starting with; not least
"""

_LISTS += """
delight: affection; charm; compassion; conviction; courage; curiosity; delicacy; elegance; energy; feeling; flair; generosity; grace; gusto; humanity; humour; imagination; insight; intelligence; intensity; invention; joy; mischief; patience; passion; poise; precision; restraint; sincerity; style; subtlety; sympathy; tact; tenderness; tension; verve; vitality; warmth; wisdom; wit
lack: atmosphere; chemistry; coherence; colour; common sense; consequence; conviction; depth; direction; emotion; energy; excitement; focus; humour; ideas; imagination; logic; momentum; mystery; nerve; originality; passion; pulse; purpose; rhythm; rigour; soul; structure; subtlety; surprise; suspense; taste; tension; urgency; warmth; wit
lack2: kitsch; self-pity; sentimentality; vanity; cynicism; calculation; showing off
"""

_LISTS += """
acted_well: brave; commanding; controlled; daring; disarming; fearless; finely judged; fierce; heartbreaking; layered; magnetic; marvellous; mischievous; natural; nuanced; quietly devastating; raw; restrained; soulful; tightly wound; touching; truthful; understated; unguarded; unshowy; utterly convincing; vulnerable; wry
acted_badly: absent-minded; by-the-numbers; catatonic; colourless; distracted; half-asleep; hammy; hysterical; mannered; mumbling; one-note; overripe; phoned-in; robotic; self-conscious; shouty; sleepy; smirking; strained; sulky; uncertain; visibly bored; wide-eyed
spoken_well: crackling; dry; earthy; economical; funny; natural; quick-witted; quotable; razor-sharp; salty; sparkling; spiky; tart; unforced; wry
spoken_badly: cringeworthy; expository; flowery; implausible; on-the-nose; overwritten; pretentious; repetitive; stilted; stodgy; tin-eared; wooden
"""

_LISTS += """
trait: absent-minded; ageing; ambitious; anxious; ashamed; bankrupt; bashful; bitter; bored; brilliant; burnt-out; careful; cheerful; clumsy; cowardly; cunning; cynical; daydreaming; devout; disgraced; divorced; eccentric; exhausted; foul-mouthed; frightened; grieving; grumpy; gullible; hard-drinking; headstrong; homesick; idealistic; impatient; inexperienced; jealous; kindly; lonely; melancholy; naïve; nervous; newly married; obsessive; overworked; penniless; proud; quick-tempered; quiet; reckless; respected; retired; ruthless; secretive; short-sighted; shy; solitary; stubborn; superstitious; talkative; timid; unemployed; vain; wealthy; weary; widowed; young
virtue: loyal; decent; tolerant; truthful; brave; resourceful; forgiving; patient; dignified; kind
vice: arrogant; brutal; callous; conceited; cruel; deceitful; fickle; greedy; selfish; snobbish; spiteful; treacherous; violent
job: accountant; acrobat; air traffic controller; ambulance driver; antiques dealer; archaeologist; architect; art forger; astronomer; baker; bank clerk; barber; beekeeper; biologist; blacksmith; bookkeeper; bookseller; boxer; bus conductor; butcher; butler; carpenter; cartographer; cartoonist; cellist; chauffeur; chemist; choirmaster; clockmaker; coal miner; concierge; cook; dentist; diplomat; dockworker; dressmaker; electrician; engineer; estate agent; farmer; fencing teacher; firefighter; fisherman; florist; gardener; geologist; glassblower; goldsmith; gravedigger; greengrocer; hairdresser; historian; hotel porter; insurance clerk; interpreter; jeweller; jockey; journalist; judge; laundry worker; lawyer; librarian; lighthouse keeper; locksmith; magician; mathematician; mechanic; midwife; milkman; night watchman; novelist; nurse; painter; park ranger; pastry chef; pharmacist; photographer; physicist; piano tuner; pickpocket; pilot; playwright; plumber; poet; postman; potter; priest; prison guard; professor; puppeteer; radio announcer; restaurant critic; sailor; schoolteacher; sculptor; secretary; shoemaker; social worker; stonemason; stuntman; surgeon; surveyor; tailor; tax inspector; taxi driver; telephone operator; tourist guide; translator; truck driver; undertaker; veterinarian; waiter; watchmaker; weaver; weather forecaster; welder; wine merchant; zookeeper
kin: aunt; best friend; brother; business partner; childhood sweetheart; cousin; daughter; father; flatmate; foster child; godmother; grandfather; grandmother; half-brother; mother; neighbour; nephew; niece; old teacher; sister; son; stepfather; stepdaughter; twin; uncle
"""

_LISTS += """
crowd: a gang of teenagers; a nosy landlady; a one-eyed cat; a parade of suspects; a village of gossips; a choir of drunks; an army of lawyers; a coachload of tourists; a flock of geese; a nervous accountant; a troupe of actors; a busload of nuns; a rabble of uncles; a visiting circus
hunters: bounty hunters; corrupt officials; creditors; customs officers; detectives; hired killers; journalists; loan sharks; men in grey coats; rival agents; secret policemen; smugglers; soldiers; three masked strangers; two brothers with shotguns; thugs
craft: camera operator; casting director; choreographer; costume designer; dialect coach; editor; hairdresser; location scout; make-up artist; production designer; prop master; set decorator; sound mixer; stunt coordinator; wardrobe department; foley artist
company: my boss; my boyfriend; my brother; my brother-in-law; my colleague; my cousin; my daughter; my ex-wife; my father; my flatmate; my girlfriend; my grandmother; my grandson; my husband; my mother-in-law; my neighbour; my nephew; my old teacher; my partner; my roommate; my sister; my son; my students; my uncle; my wife; an old friend; the kids; two friends; four friends
"""

_LISTS += """
land: American; Argentine; Australian; Austrian; Belgian; Brazilian; British; Bulgarian; Canadian; Chilean; Chinese; Colombian; Cuban; Czech; Danish; Dutch; Egyptian; Estonian; Finnish; French; Georgian; German; Greek; Hungarian; Icelandic; Indian; Iranian; Irish; Israeli; Italian; Japanese; Korean; Lebanese; Mexican; Moroccan; Nigerian; Norwegian; Peruvian; Polish; Portuguese; Romanian; Russian; Scottish; Senegalese; Spanish; Swedish; Swiss; Turkish; Vietnamese; Welsh
city: Amsterdam; Athens; Bangkok; Barcelona; Belfast; Berlin; Bombay; Boston; Brussels; Bucharest; Budapest; Buenos Aires; Cairo; Calcutta; Casablanca; Chicago; Copenhagen; Cracow; Dakar; Damascus; Detroit; Dublin; Edinburgh; Geneva; Genoa; Glasgow; Hamburg; Hanoi; Havana; Helsinki; Hong Kong; Istanbul; Jakarta; Johannesburg; Kyoto; Lagos; Lima; Lisbon; Liverpool; London; Los Angeles; Madrid; Manchester; Manila; Marrakesh; Marseille; Melbourne; Mexico City; Miami; Montreal; Moscow; Munich; Nairobi; Naples; New Orleans; New York; Oslo; Palermo; Paris; Philadelphia; Prague; Reykjavik; Rio de Janeiro; Rome; Rotterdam; San Francisco; Santiago; Seattle; Seville; Shanghai; Singapore; Stockholm; Tangier; Tbilisi; Tokyo; Toronto; Trieste; Tunis; Venice; Vienna; Vladivostok; Warsaw; Zagreb; Zurich
town: border town; cathedral city; company town; decaying seaside resort; desert outpost; drowned valley; farming town; fishing village; frozen harbour town; garrison town; ghost town; hill village; holiday resort; island community; logging town; market town; mining town; mountain village; oil town; port; railway town; ski resort; spa town; steel town; suburb; swamp settlement; university town; whaling station; wine-growing village
building: abandoned factory; abbey; airport hotel; art museum; bakery; ballroom; boarding house; boarding school; bookshop; bus depot; café; casino; castle; chapel; convent; country house; courthouse; dance hall; department store; embassy; ferry terminal; film studio; gas station; greenhouse; hospital; hunting lodge; jazz club; launderette; library; manor; military academy; monastery; mortuary; motel; newspaper office; nightclub; observatory; opera house; orphanage; palace; pawnshop; petrol station; planetarium; police station; post office; prison; pub; radio station; railway station; research laboratory; sanatorium; shipyard; skyscraper; slaughterhouse; spa; supermarket; swimming pool; synagogue; tavern; theatre; toy shop; warehouse; watermill; zoo
hideout: the attic; the back of a taxi; the boot of a hired car; a broken piano; a church organ; a coffin; a dry well; an elevator shaft; a flooded cellar; a freezer; a hollow tree; a laundry basket; a left-luggage locker; a linen cupboard; a chimney; a rubbish bin; a safe; a stolen rucksack; an umbrella stand; a wall of the bathroom; a wardrobe; the lining of a coat
"""

_LISTS += """
venue: a crowded multiplex; a double bill; a drive-in cinema; a film club; a half-empty matinee; a late-night screening; a preview; a small art-house cinema; a village hall; an open-air screening; the local fleapit; a film festival; a church basement; a students' cinema; a beach resort; a press screening
at_home: on a night bus; on a long flight; in a hospital bed; in an airport lounge; on a wet afternoon; on an old videotape; on a scratched DVD; on a tiny phone screen; on cable television; through a streaming service; on a night train; during a flu; after a long shift; after midnight; at three in the morning; on a laptop; on my birthday; on New Year's Day; on our anniversary; over the holidays; with a cold; with a glass of wine; with the cat on my lap; with the lights off; with the sound turned up; over two evenings
"""

_LISTS += """
object: accordion; ancient coin; birdcage; blank cheque; bloodstained glove; box of cigars; briefcase; brooch; bundle of letters; cassette tape; chess set; child's drawing; coded message; diary; dead man's passport; death mask; diamond; egg-timer; family Bible; faulty parachute; forged painting; fountain pen; gold tooth; gramophone record; hand grenade; human skull; key without a lock; kite; left-luggage ticket; lottery ticket; love letter; map of the sewers; medal; microfilm; mirror; music box; notebook; pair of spectacles; photograph; pocket watch; prayer book; railway ticket; revolver; roll of film; rosary; sealed envelope; sewing machine; signet ring; silver spoon; snow globe; suitcase; tape recorder; telegram; telescope; trumpet; typewriter; unfinished novel; unsigned will; vial of poison; violin; walking stick; wedding dress; wooden leg
weapon: axe; blowpipe; bread knife; candlestick; crossbow; flare gun; garden fork; hammer; harpoon; hunting rifle; ice pick; kitchen knife; nail gun; pistol; poker; razor; rolling pin; pair of scissors; shotgun; shovel; wrench
vehicle: ambulance; balloon; barge; bicycle; camper van; canoe; cargo ship; convertible; delivery van; double-decker bus; fire engine; freight train; hearse; helicopter; horse and cart; ice-cream van; lifeboat; limousine; milk float; motorcycle; paddle steamer; pick-up truck; rowing boat; sailing boat; school bus; sleigh; submarine; taxi; tractor; tram
"""

_LISTS += """
beast: alligator; badger; bear; beetle; camel; cat; cockatoo; crow; dachshund; dolphin; donkey; elephant; ferret; fox; frog; goat; goose; hedgehog; heron; horse; llama; lobster; mole; monkey; moth; mouse; octopus; otter; owl; panther; peacock; pelican; penguin; pig; pigeon; poodle; rabbit; rat; seal; sheepdog; snail; squirrel; stork; swan; tiger; tortoise; turkey; walrus; wolf
monster: banshee; bog creature; carnivorous plant; coven of witches; cursed doll; demon; ghoul; giant leech; headless bride; mummy; phantom; poltergeist; scarecrow; shape-shifter; swarm of wasps; lake creature; two-headed calf; vampire; werewolf; zombie
"""

_LISTS += """
crime: arson; art theft; assassination; blackmail; bribery; burglary; counterfeiting; embezzlement; espionage; extortion; forgery; fraud; hijacking; insurance fraud; jewel theft; kidnapping; manslaughter; murder; perjury; poisoning; sabotage; smuggling; treason
secret: an affair; a false name; a gambling debt; a hidden fortune; a lover in another city; a prison record; a second family; a serious illness; a stolen inheritance; a terrible accident; an adoption; an old crime; an unpublished confession; the wrong war medals
feeling: anger; anguish; bewilderment; bitterness; dread; envy; exhaustion; gratitude; grief; guilt; homesickness; hope; jealousy; loneliness; longing; melancholy; nostalgia; panic; pride; rage; regret; relief; remorse; resentment; sadness; shame; sorrow; suspicion; terror; wonder
theme: ambition; betrayal; boredom; class; courage; debt; divorce; exile; faith; fatherhood; fear; first love; forgiveness; freedom; friendship; grief; growing old; guilt; honour; jealousy; justice; loneliness; loyalty; marriage; memory; money; motherhood; old age; poverty; power; pride; regret; revenge; sacrifice; shame; solitude; survival; temptation; the price of success; truth; unemployment; what we owe our parents
"""

_LISTS += """
season: Christmas; one autumn; one endless summer; one freezing winter; one rainy spring; the first week of January; the harvest; the hottest August on record; the last days of summer; the rainy season; the weeks before Easter; a heatwave; a power cut; a general strike; a blizzard; a long weekend
era: the age of steam; the Bronze Age; the Cold War; the Crusades; the Depression; the days of sail; the eighteenth century; the fall of Rome; the French Revolution; the gold rush; the Middle Ages; the Napoleonic wars; the plague years; Prohibition; the Renaissance; the roaring twenties; the Russian Revolution; the Spanish Civil War; the Tudor court; the Victorian era; the years before the First World War
weather: drizzle; fog; frost; hail; lamplight; mist; moonlight; rain; sleet; smoke; snow; starlight; steam; sunlight; twilight; winter light
sport: boxing; chess; cricket; cycling; fencing; figure skating; football; golf; gymnastics; handball; ice hockey; judo; marathon running; motor racing; rowing; rugby; sailing; ski jumping; sumo; swimming; table tennis; tennis; volleyball; water polo; weightlifting; wrestling
"""

_LISTS += """
scenery: alleyways; backyards; beaches; canals; cemeteries; cliffs; cornfields; cranes; dunes; factories; fields; fjords; forests; glaciers; harbours; hills; icebergs; lakes; marshes; meadows; motorways; mountains; olive groves; orchards; railway yards; rivers; rooftops; ruins; shipyards; skylines; streets; tower blocks; valleys; vineyards; waterfalls; wheatfields
look: autumnal; bleached; candlelit; crisp; crystal-clear; dreamlike; dusty; exquisite; glittering; glowing; gorgeous; grainy; handsome; inky; jewel-like; painterly; pearly; rain-soaked; saturated; shadowy; silvery; smoky; sumptuous; sun-drenched; velvety
bleak: blurred; brownish; flat; garish; greasy; grey; hazy; jerky; murky; muddy; overlit; pale; smeared; soupy; sickly green; underexposed; washed-out
"""

_LISTS += """
instrument: accordion; banjo; bassoon; brass band; cello; church organ; clarinet; double bass; fiddle; flute; guitar; harmonica; harp; harpsichord; horn section; mandolin; oboe; piano; saxophone; solo violin; string quartet; synthesiser; theremin; trombone; trumpet; ukulele; viola; xylophone; zither
catchy: aching; bittersweet; catchy; delicate; driving; eerie; folk-tinged; foot-tapping; hummable; jazzy; lilting; lush; mournful; pulsing; rousing; soaring; sparing; sparse; spine-tingling; wistful
noisy: blaring; bombastic; cloying; deafening; droning; intrusive; jangling; overbearing; repetitive; saccharine; screeching; shrill; syrupy; tinny; wailing
"""

_LISTS += """
chore: alphabetising my spice rack; assembling a wardrobe; cleaning the oven; clipping my toenails; counting ceiling tiles; defrosting the freezer; descaling a kettle; doing my tax return; filing receipts; folding laundry; ironing shirts; listening to a dripping tap; matching socks; peeling potatoes; polishing cutlery; queuing at the post office; reading a phone book; reading the small print of my mortgage; scraping ice off a windscreen; sitting in a traffic jam; sorting buttons; staring at a washing machine; sweeping leaves; unblocking a drain; vacuuming the stairs; visiting the dentist; waiting for a bus; watching grass grow; watching paint dry; weeding gravel
treat: a bowl of hot soup; a brisk walk by the sea; a cold beer in July; a cup of strong coffee; a good long letter; a holiday by the sea; a hug from an old friend; a letter from a friend; a perfectly told joke; a slice of lemon cake; a song you've forgotten you knew; a swim in a cold lake; a warm blanket; an open window; a ride on a roller coaster; fresh bread; the first day of spring; the last day of school
junk: a burnt pancake; a cold chip; a deflated balloon; a dial tone; a flat tyre; a jigsaw with half the pieces missing; a lukewarm bath; a parking ticket; a plate of cold porridge; a school play without the parents; a soggy biscuit; a stale sandwich; a three-hour lecture; a traffic report; a tray of airline food; a wet firework; a wet weekend; an empty fridge; an instruction manual; cardboard; dishwater; the back of a cereal box; wallpaper
body: cried; forgot my popcorn; gasped; grinned; held my breath; laughed until it hurt; leaned forward; sat bolt upright; sobbed; wept; forgot the time; bit my nails; got goosebumps; clapped; cheered; squirmed with pleasure
bored: checked my email; checked my watch; counted the exit signs; drifted off; fell asleep; fidgeted; fought sleep; groaned; nodded off; planned my shopping; rolled my eyes; sighed; stared at the carpet; texted a friend; wrote a shopping list; yawned; thought about dinner; lost the thread; looked at the clock
"""

_LISTS += """
small: two; three; four; five; six; seven; eight; nine; ten
few: 5; 10; 15; 20; 25; 30; 35; 40; 45; 50
money: 20 thousand dollars; 40 thousand pounds; half a million; 2 million dollars; 3 million euros; 5 million; 9 million; 12 million dollars; 30 million; 60 million pounds; 85 million; 110 million dollars; 140 million
nth: second; third; fourth; fifth; sixth; seventh; eighth; ninth; tenth; eleventh; twelfth
"""

_GENRES = """
# thriller: thriller; suspense film; psychological thriller
> <C>[ (<L>)|], a {trait} <J>, [finds|discovers|stumbles upon|inherits] a <obj> in {hideout}, and [before long|within hours|by nightfall] {hunters} are [at the door|on the trail|asking questions]
> a <J> called <C> wakes up [in|outside] a <building> in {city} with no memory of the last {small} days and a <obj> in <his> [pocket|bag|hand]
> <L> plays <C>, a {trait} <J> who [overhears|photographs|accidentally records] a [murder|kidnapping|bribe] and can't persuade anyone to believe <him>
> when <C>'s {kin} vanishes on the way to {city}, the police [shrug|lose the file|suspect <C>], so the {trait} <J> [starts|begins] to [search|dig|investigate] alone
> <C>, a {trait} <J>, receives [phone calls|postcards|parcels|voice messages] from a {kin} who [died|drowned|was declared dead] {small} years ago
> the [whole film|whole story|entire plot] takes place aboard a {vehicle} bound for {city}, where <C> has {few} minutes to [work out|guess|prove] who planted the bomb
> <C>'s {kin} is being [blackmailed|followed|watched] over {secret}, and the only witness is a {trait} <K> called <D>[ (<S>)|]
~ from then on <he> can trust nobody, least of all <D>, the {trait} <K> who [keeps|insists on] offering help
~ [clue by clue|step by step|slowly], the trail leads to a {building} outside {city} and to {secret}
~ halfway through, we learn that <D>, the {trait} <K>, has been [lying|listening in|working for the other side] all along, and the [ground|floor] [shifts|gives way]
~ what follows is a chase across {small} [countries|districts|rooftops|borders], mostly on foot and once in a stolen {vehicle}
~ a {trait} {job} with a {weapon} complicates matters, and so does a {kin} who knows too much
~ <D>[ (<S>)|], [nervous|stubborn|cheerful|gloomy|impatient|charming|secretive|unshaven|talkative] as ever, has only {small} hours to [decode|decipher|destroy] the one piece of evidence, a {object}
+ the suspense [builds|mounts|tightens] until the very last [scene|reel|minute|frame]
+ I [was on the edge of my seat|forgot to breathe|never saw the twist coming] during the scene in the <building>
+ every clue is [planted|hidden] in plain sight, and the solution is [elegant|airtight|logical|fair]
+ the cat-and-mouse game between <L> and <S> is as tense as anything I've seen since <year>
- the big twist is [obvious|visible] from the [first scene|trailer|poster|moment <S> walks in]
- there's no suspense at all, because [nobody|no character] ever seems to be in [danger|a hurry|trouble]
- the villain explains the whole [scheme|conspiracy|plan] in a [speech|monologue] that lasts {small} minutes
- anyone with a [telephone|map|brain|torch] could've solved the mystery in {few} minutes
"""

_GENRES += """
# crime: crime film; gangster film; detective story; heist film
> <C>[ (<L>)|], a {trait} detective, is sent to a {town} to solve a case of {crime} that nobody wants solved
> {small} [thieves|crooks|ex-convicts], led by a {trait} <J> called <C>, plan to rob a <building> in {city} during {season}
> after {small} years in prison for {crime}, <C> returns to the {town} where <his> {kin} [still waits|now runs everything|has sold the house]
> <L> plays <C>, a <J> by day and a [safe-cracker|bookmaker|forger|getaway driver|card sharp] by night, who takes one last job
> the body of a {trait} {job} turns up in a <building>, next to a {weapon} and a <obj>, and inspector <C> has until [Friday|midnight|the end of the month] to explain it
> <C>, a <J> up to the neck in debt, agrees to [drive|hide|launder|deliver] something for the local [boss|syndicate|mob] and asks no questions
~ the plan is [perfect|foolproof|simple], until somebody's {kin} shows up with a {weapon}
~ <D>[ (<S>)|], the {trait} <K> who [finances|guards|watches] it all, has other ideas
~ one by one the suspects [break down|disappear|confess|change their stories], and the <obj> turns out to be a fake
~ <he> soon finds that half of the police force is on the payroll of <D>, a {vice} <K>
~ alliances [shift|crumble], old debts are called in, and a {vehicle} full of money goes missing near {city}
+ the robbery itself, {few} minutes without a word, is a [small masterpiece|triumph of timing|lesson in patience]
+ these are gangsters with [mortgages|bad knees|mothers|stomach ulcers], and that makes them [frightening|human|funny]
+ the mystery plays fair, and the answer is both [surprising|shocking] and [inevitable|logical]
+ you can practically smell the [cigarettes|wet coats|cheap coffee|gunpowder] in the interrogation scenes
- we've seen these gangsters in a hundred better films, down to the [cigars|white suits|toothpicks|pinstripes]
- the detective solves the case by [luck|coincidence|reading the script], not by thinking
- the heist makes no sense, and the getaway in a {vehicle} makes even less
- nobody in it behaves like a real [policeman|criminal|witness|lawyer]
"""

_GENRES += """
# comedy: comedy; farce; satire; screwball comedy
> <C>[ (<L>)|], a {trait} <J>, is mistaken for a famous {job} and [invited|sent|driven] to a <building> in {city}
> two {trait} [neighbours|cousins|rivals], <C> and <D>, fight over a <building> that neither of them can afford
> in order to [win a bet|keep a job|impress a {kin}|inherit a <building>], <C> has to pretend to be a {job} for {small} weeks
> <L> is <C>, a <J> whose wedding day is [interrupted|ruined|delayed] by a <beast>, a {kin} and {crowd}
> the {trait} inhabitants of a {town} decide to [declare independence|fake a miracle|hide a <beast>|sell the church], and <C>, a <J>, has to stop them
> <C> loses a <obj> that belongs to the boss, and has until Monday to [replace|find|steal] it
~ things get out of hand when <D>[ (<S>)|], a {trait} <K>, moves in with {crowd}
~ soon there's a <beast> in the bathroom, {crowd} in the hall, and a {object} that must not be found
~ lies pile up on lies until <he> has to be in {small} places at the same time
~ there is a dinner party, a {vehicle} chase and a misunderstanding about {secret}
~ naturally <D>, who is {trait} and a <K>, falls for the wrong person
+ I laughed so hard at the scene with the <beast> that {company} had to [nudge|shush|calm] me
+ the jokes come [thick and fast|out of the characters|from nowhere], and most of them land
+ <L>'s timing is [perfect|flawless|immaculate], above all in the scenes with the <beast>
+ there's a running gag about a {object} that gets funnier every time
- I didn't laugh once in <min> minutes, and neither did {company}
- the jokes are [older|staler|weaker] than {junk}, and each of them is [explained|repeated|underlined]
- a {beast} in a [hat|bathtub|wig|pram] isn't a joke, it's a [cry for help|desperate measure|reflex]
- <L> [pulls faces|shouts|falls over things] for an hour and a half, and not one [gag|pratfall|punchline] works
"""

_GENRES += """
# romance: romance; love story; romantic comedy; romantic drama
> <C>[ (<L>)|], a {trait} <J>, meets <D>[ (<S>)|], a {trait} <K>, in a <building> in {city} during {season}
> {small} years after a broken engagement, <C> and <D> are seated [side by side|opposite each other] [on a {vehicle}|at a funeral|at a wedding] near {city}
> <C> writes letters to a stranger, not knowing that it's <D>, the {trait} <K> from [across the street|the floor below|the <building> next door]
> a {town}, {season}: <C>, engaged to a {trait} {job}, falls in love with the {job} who comes to [repair|paint|value|buy] the house
> <L> and <S> play <C> and <D>, [a {job} and a {job}|two {trait} strangers], who share a {vehicle} from {city} to {city} and can't stand each other
> every year <C> and <D> spend one night in the same <building> in {city}, and then go back to [their families|their separate lives|being strangers]
~ there's [a fiancé|a jealous {kin}|a war|an ocean|a matter of {secret}] in the way, of course
~ they walk, they talk, they quarrel about <theme>, and they lose a {object}
~ a letter goes astray, a {vehicle} leaves too early, and {small} years pass
~ one of them must choose between a [post|career|scholarship] in {city} and a {trait} {job} with no money
~ neither of them says what both of them [feel|know|want], and it takes a <beast> to [help|change that]
+ the chemistry between <L> and <S> could [light up|heat|power] a {town}
+ when they finally [kiss|meet again|dance|say goodbye], I {body}
+ it believes in love without being [stupid|sugary|blind] about it
+ you want these two [lonely|awkward|stubborn] people to end up together
- <L> and <S> have about as much chemistry as {junk} and {junk}
- I've seen more passion in {junk} than in this so-called romance
- the only obstacle between the lovers is that [nobody|neither of them] ever [asks a simple question|picks up a telephone|finishes a sentence]
- their love is announced, never [shown|felt|earned]
"""

_GENRES += """
# horror: horror film; ghost story; horror movie; chiller
> <C>[ (<L>)|], a {trait} <J>, moves into a <building> that once belonged to a {job} accused of {crime}
> {small} [students|cousins|hikers|musicians] rent a <building> near a {town}, and something like a <monster> is already there
> <L> plays <C>, a <J> who inherits a <obj>, and with it a <monster>
> during {season}, the people of a {town} begin to [sleepwalk|speak in rhymes|forget their names|dig holes], and only <C>, a <J>, stays awake
> every {small} years a <monster> returns to the {town}, and this time it wants <C>'s {kin}
> the night shift in a <building> in {city}: <C>, a {trait} <J>, hears [footsteps|a lullaby|scratching|a child laughing] from {hideout}
~ one after the other they're picked off, by a {weapon}, by fire, by something under the stairs
~ <D>[ (<S>)|], a {trait} <K>, knows the old story and refuses to tell it
~ what seems like a <monster> may only be {feeling}, or so the {job} says
~ the doors lock, the lights go, and somebody has taken the {weapon}
~ in the cellar <he> finds a {object}, and from then on the [mirrors|clocks|walls|telephones] can't be trusted
+ I had to [sleep with the lights on|check under the bed|hide behind {company}] for {small} nights
+ it scares with [shadows|silence|sounds|suggestion] instead of [buckets of blood|cheap jolts|gore]
+ the <monster> is hardly ever seen, and that's what makes it so frightening
+ dread seeps into every [corner|frame|ordinary object] long before the first drop of blood
- I've been more frightened by {junk}
- the <monster> looks like a [carpet|sofa|bathrobe|tea cosy] with teeth
- every scare is a [loud bang|cat jumping out|hand on a shoulder|door slamming], and you can set your watch by them
- these people go [down to the cellar|into the woods|back for the <beast>] so often that you root for the <monster>
"""

_GENRES += """
# scifi: science fiction film; space opera; science fiction story; dystopia
> in the year [2087|2140|2203|2316], <C>[ (<L>)|], a {trait} <J>, repairs [robots|satellites|dreams|androids] on a [moon of Jupiter|space station|mining colony|generation ship]
> a [signal|spacecraft|capsule|meteorite] arrives over {city}, and the government sends for <C>, a {trait} <J>, to [decode|approach|translate|open] it
> <L> is <C>, a <J> who discovers that everyone in the {town} has been [replaced|cloned|programmed|asleep for {small} centuries]
> scientists in {city} build a machine that [erases grief|records dreams|predicts crimes|sends letters to the past], and <C>, a <J>, volunteers
> after the [flood|war|virus|long night], {small} survivors live in a <building>, ruled by a {trait} <K> called <D>
> the crew of a [freighter|colony ship|research vessel] wakes {small} years too early, and <C> finds that the [computer|captain|map] has been lying
~ the machines develop {feeling}, which was not in the manual
~ <D>[ (<S>)|], [nervous|stubborn|cheerful|gloomy|impatient|charming|secretive|unshaven|talkative] as ever, wants to turn back, and the oxygen will last {few} hours
~ time begins to [loop|fold|run backwards], and <he> meets an older, {trait} self
~ the [corporation|council|ministry] sends {hunters}, and the androids choose a side
~ it turns out that the creatures don't want the planet at all, only a {object}
+ the future looks [lived-in|used|plausible|beautiful], right down to the [vending machines|worn buttons|dirty uniforms]
+ it asks what makes us human and has the [courage|decency|wit] not to answer
+ the [spaceship|robot|alien] is a [marvel|small wonder|stroke of genius], built with more {delight} than money
+ here's a film about [time travel|robots|other planets|clones] that trusts you to keep up
- the science is nonsense, and the fiction isn't much [better|brighter|newer]
- the aliens are [people with rubber ears|green blobs|men in silver pyjamas], and they all speak [perfect|flawless] English
- the robots show more [emotion|range|warmth] than the humans, and the robots are [vacuum cleaners|dustbins|toasters]
- it borrows from every space film since <year> and [repays|adds] nothing
"""

_GENRES += """
# war: war film; war drama; anti-war film
> {small} soldiers, led by a {trait} sergeant called <C>[ (<L>)|], are ordered to hold a <building> until the [relief|bridge|convoy] comes
> <C>, a <J> before the war, is sent behind enemy lines with a <obj> and {small} words of the language
> <L> plays <C>, a {trait} army <J> who [refuses|forgets|is too late] to carry out an order near {city}
> in an occupied [town|city|port|village], <C>, a {trait} <J>, hides [a pilot|a deserter|{small} children|a partisan] in [the attic|a hayloft|a flooded cellar|the crypt of a church|a disused tunnel]
> on the last day of the war, <C> and <D>, soldiers of opposite armies, get trapped in a <building>
> <C>, a {trait} nurse in a field hospital, keeps a [list|diary|sketchbook] of the men who [died|sang|lied] there
~ the ammunition runs out, the [officers|maps|radios] are wrong, and it won't stop raining
~ letters from home arrive for men who are already dead, and <he> has to answer them
~ <D>[ (<S>)|], the youngest, a {job} in peacetime, begins to [sing|stammer|see ghosts|laugh]
~ between two attacks they [play football|share a stolen ham|bury a <beast>|talk about <theme>]
~ someone has betrayed them, and suspicion falls on the {trait} {job}
+ the battle scenes are [chaotic|deafening|terrifying] without ever being [a thrill ride|heroic|beautiful]
+ it shows [fear|mud|hunger|boredom] where other war films show flags
+ you come to know each of these soldiers, and you dread every [whistle|shell|telegram]
+ nobody makes a speech, and that [silence|restraint] says more about war than any sermon
- war here is an excuse for [slow motion|explosions|flags|manly tears]
- the soldiers are so [interchangeable|thinly drawn|clean-shaven] that I couldn't tell who had [died|been shot]
- the enemy can't [shoot|aim|count], the heroes can't miss, and so there's [no danger|nothing at stake]
- even the mud looks as if it had been [rented|ironed|delivered by a caterer]
"""

_GENRES += """
# western: western; cowboy film; revenge western
> <C>[ (<L>)|], a {trait} gunslinger, rides into a {town} that's ruled by a {vice} rancher called <D>
> <L> is <C>, once a <J>, now a bounty hunter with a bad [leg|liver|reputation|conscience] and {small} bullets left
> a wagon train of [settlers|preachers|miners|widows] hires <C> to lead it through the [canyon|desert|mountains] before the first snow
> the sheriff is dead, the bank is empty, and the <J> of the {town}, a {trait} drunk called <C>, has to pin on the star
> <C> has waited {small} years to avenge a {kin}, and the man to blame now runs the <building>
~ there'll be a reckoning at [noon|dawn|sundown], and the whole town [closes its shutters|takes bets|goes to church]
~ <D>[ (<S>)|], who owns the <building>, has bought the judge, the water and the only {vehicle} out of there
~ a {trait} {job} from {city} teaches <him> to [read|forgive|play cards|shoot straight]
~ on the trail they lose the [horses|water|map|gold], and then their tempers
+ the final duel is staged with [patience|nerve|the precision of a clock], and it hurts
+ the landscape isn't a backdrop here, it's a [judge|character|threat]
+ it [respects|loves] the old legends and still [tells the truth|asks who paid for them]
- the horses give the best performances, and even they look [bored|embarrassed|tired]
- everybody squints, spits and says nothing, but it's not [mystery|depth], it's a lack of script
- the shoot-out is edited so badly that [half the town|the piano player|a dead man] seems to fire first
"""

_GENRES += """
# family: family drama; drama; domestic drama; coming-of-age story
> <C>[ (<L>)|], a {trait} <J>, comes home to a {town} for the funeral of a {kin} and stays longer than planned
> when their {kin} dies, <C> and <D> have to [share|sell|clear out] a <building> and {small} decades of silence
> <L> plays <C>, a <J> who learns that <his> {kin} has had {secret} for {small} years
> {small} generations of one family meet in a <building> during {season}, and somebody brings up {secret}
> at the age of [nine|eleven|fourteen|sixteen|seventy|eighty], <C> runs away from a {town} with a <obj> and a <beast>
> a {trait} {job} and a {kin} who haven't spoken since the [wedding|accident|funeral|war] are forced to drive a {vehicle} to {city}
~ old quarrels about <theme> come up, along with the [soup|wine|photographs|furniture]
~ <D>[ (<S>)|], the {trait} one, drinks, the {kin} prays, and nobody mentions the <obj>
~ <he> gets a job in a {building}, makes friends with a {trait} {job}, and slowly starts to [talk|forgive|sleep|paint] again
~ it all comes out at the dinner table, between the [potatoes|pudding|toasts] and the telephone call
~ a hospital, a {kin}, a {object}: little happens, and yet nothing is the same afterwards
+ I recognised my own family in every [pause|quarrel|awkward hug|silence]
+ the scene in which <L> and <S> [do the dishes|sort the photographs|fold the laundry] broke my heart
+ nobody's a villain here, and everybody has [reasons|a point|scars]
+ it knows how [families|sisters|parents|children] really talk to each other, and what they leave out
- every character has [a disease|a secret|a speech], and some have {small}
- people [weep|shout|hug|confess] from the first scene to the last, and I felt nothing
- it mistakes [whispering|long silences|sad piano|rain on windows] for depth
- it's {small} hours' worth of misery squeezed into <min> minutes, with nobody to care about
"""

_GENRES += """
# costume: costume drama; period piece; historical drama; biography
> set in <era>, it follows <C>[ (<L>)|], a {trait} <J> at the court of a {vice} [king|queen|duke|empress]
> the {land} [inventor|explorer|chemist|botanist|architect] who [discovered|mapped|designed|lost] {small} famous things is played by <L>, from [a poor childhood|the first failures] to [a lonely death|fame|exile]
> <C>, a {trait} tutor with {secret}, arrives at a <building> in <era>
> in <era>, a marriage is arranged between <C> and <D>, a {vice} [merchant|colonel|heir|neighbour]
> <L> is <C>, who lives disguised as a {job} for {small} years in order to [study|fight|travel|paint] in <era>
~ intrigue follows intrigue, and a {object} changes hands at a ball
~ <D>[ (<S>)|], the {vice} [cousin|minister|bishop|rival], whispers in the ear of the [regent|queen|old king]
~ there are duels, debts and a {trait} {job} who knows about {secret}
~ plague comes to the city, and the [servants|nobles|actors] flee by [barge|sleigh|rowing boat|ox cart|ferry] to {city}
+ you believe in this past, with its [chilblains|bad teeth|candle smoke|cold soup] and its codes of honour
+ history comes alive, not as a [waxwork|museum|pageant] but as [gossip|mud|work]
+ under all the lace there's a real [anger|heart|argument] about <theme>
- it's a [fashion parade|furniture catalogue|wax museum] with {few} minutes of story
- history teachers will [weep|groan|walk out], since hardly a date or a [hat|treaty|battle] is right
- the wigs act harder than the people [beneath|under] them
"""

_GENRES += """
# adventure: adventure film; fantasy; fairy tale; swashbuckler
> <C>[ (<L>)|], a {trait} <J>, has {small} days to carry a <obj> across a kingdom of [ice|ash|mist|sand|glass]
> an old map, a {vehicle} and a {trait} <K> called <D> take <C> from {city} to the [jungle|poles|end of the world|lost city]
> <L> is <C>, a <J> who can [speak with every <beast>|walk through mirrors|see the dead|turn lead into honey], and wishes otherwise
> a {vice} sorcerer has turned the {kin} of the king into a <beast>, and only <C>, a {trait} <J>, knows the [song|cure|riddle]
> pirates seize a ship with <C> on board, a {trait} <J> who happens to own half of the [map|treasure|crew]
~ on the way there are [trolls|whirlpools|riddles|sword fights|quicksand], {crowd} and a talking {beast}
~ <D>[ (<S>)|], a {trait} <K>, joins them, for gold at first, and then for <theme>
~ the villain wants the <obj> too, and has {hunters} to fetch it
~ they cross [a glacier|a sea of grass|the valley of bells|a rope bridge] in a {vehicle}
+ it has the [sweep|innocence|magic] of the stories one was read in bed
+ I was {small} years old again, and I wanted a [sword|map|dragon|ship] of my own
+ the sword fights are [acrobatic|witty|elegant] and you can tell who's hitting whom
- the magic has no rules, so whenever <C> is stuck, [a spell|an eagle|a prophecy] comes along
- it's one long [prologue|trailer|video game] for a sequel that nobody [needs|asked for|wants]
- the quest goes [from A to B to A|in circles], and the talking {beast} never shuts up
"""

_GENRES += """
# sport: sports film; sports drama; boxing picture; underdog story
> <C>[ (<L>)|], a {trait} <J>, is talked into coaching the worst <sport> team in the {town}
> <L> plays <C>, a former <sport> champion who now works as a {job} and drinks in a <building>
> a child from a {town}, <C>, wants to take up <sport>, and <his> {kin}, a {trait} {job}, forbids it
> the {land} <sport> team of [1928|1936|1948|1956|1964|1972] was never meant to win, and <C>, its {job}, wrote down why
> {small} months before the [final|championship|games], <C> breaks a [leg|wrist|shoulder|promise]
~ they train in a {building}, on stolen time, with a <beast> for a mascot
~ <D>[ (<S>)|], a {trait} <K>, puts up the money and wants to own the result
~ there's an injury, a bribe and a defeat by {small} points
~ it's less about <sport> than about <theme>
+ I know nothing about <sport>, and still I [cheered|jumped up|shouted at the screen]
+ the matches look [real|painful|exhausting], because the actors did the [running|falling|sweating] themselves
+ it finds more {delight} in a narrow defeat than others find in victory
- you know the final score after {few} minutes, and the film still takes <min>
- <sport> has never looked so [boring|fake|slow], and <L> plainly can't [run|throw|swim|ride]
- it has every cliché of the sports film, from the [gruff|dying] coach to the [slow clap|punch in the air]
"""

_GENRES += """
# musical: musical; music film; backstage musical
> <C>[ (<L>)|], a {trait} <J> who plays the {instrument}, joins a [band|circus|travelling show|radio orchestra] in {city}
> {small} [singers|dancers|buskers|waiters] put on a show in a <building> to save it from a {vice} landlord
> <L> is <C>, a [singer|pianist|dancer|composer] who loses [the voice|the will|a hand|a partner] and becomes a {job}
> a {town}, {season}: everyone from the {job} to the {job} bursts into song, except <C>
~ <D>[ (<S>)|], a {trait} <K>, writes the words, and the quarrels begin
~ they rehearse by night, starve by day, and lose the {instrument}
~ opening night comes, with {crowd} in the stalls and a {trait} critic in the balcony
+ I left the cinema [humming|whistling|tap-dancing], and so did {company}
+ the dancing is filmed [from head to toe|in long takes|without tricks], so that you see people really dance
+ the number with the {instrument} in the <building> is pure [joy|happiness|delight]
- there's not one song that you can [hum|remember|bear] afterwards
- <L> sings like {junk}, and dances like a {job} with a bad back
- the songs [stop the story|come out of nowhere|arrive every five minutes], and none of them [matters|fits|ends]
"""

_GENRES += """
# animation: animated film; cartoon; animated feature; children's film
> a {trait} <beast> called <C>, with the voice of <L>, leaves the [forest|farm|zoo|river] to look for a lost {kin}
> <C> is a small <beast> who wants to become a {job}, and everybody in the {town} laughs
> in a <building> at night the toys hold elections, and <C>, a {trait} clockwork <beast>, runs against <D>
> a lonely child in {city} draws a <beast> on the wall, and it climbs down and asks for [breakfast|a name|directions]
> a <beast> and a {beast} called <C> and <D> have to share a {vehicle} to get home before [dark|breakfast|the first snow]
~ on the way they meet {crowd} and a {vice} {beast} voiced by <S>
~ there's a flood, a song about <theme> and a chase in a {vehicle}
~ the humans want to turn the place into a {building}, so the animals make a plan
~ <D>, a {trait} {beast}, knows the way but can't [swim|fly|keep a secret|tell left from right]
+ each frame is [drawn|painted|modelled] with such {delight} that you want to hang it on the wall
+ [children|the kids|small viewers] will love the <beast>, and grown-ups will [get|enjoy|steal] the jokes in between
+ <L>'s voice gives the <beast> more {delight} than most actors manage with their whole body
+ it never talks down to children, not even about <theme>
- the animation looks like [a screensaver|a cereal advert|a phone game], stiff and [plastic|empty|cheap]
- the <beast> has one joke and tells it {small} times
- my niece, who's {small}, got bored after {few} minutes, and children don't lie
- it's a toy [advert|catalogue] with a moral about <theme> glued to the end
"""

_GENRES += """
# documentary: documentary; nature documentary; documentary portrait
> <R> spent {small} years with a {trait} {job} and a {kin} in a {town}, and this is the result
> the film tells how {small} {land} [villages|factories|families|schools] lived through [the Depression|the Cold War|a long strike|two wars|a famine], in letters and home movies
> it's about the last {job} in {city}, a {trait} old person who works in a <building> and talks about <theme>
> using {small} hundred hours of [archive footage|interviews|amateur film], <R> reconstructs a case of {crime} in {city}
> for {small} winters the crew followed a <beast> and its young through the [mountains|ice|marshes|suburbs]
~ there are visits to a {building}, a {building} and, in the end, a court
~ a former {job} contradicts everything, and then shows a {object}
~ slowly a second subject emerges, and that's <theme>
~ we hear from a {trait} {job}, a {job} and somebody's {kin}, each with another version
+ the people in it are allowed to [finish|contradict themselves|be silent|be funny], which is rare
+ it changed my mind about <theme>, and it did so without [a sermon|shouting|a single statistic]
+ the footage of the <beast> alone is worth the price of a ticket
+ <R> asks the questions I would've asked, and then a better one
- the narrator tells us [what to think|what we can see|how to feel] in every single shot
- it consists of [talking heads|blurry photographs|re-enactments] and sad {instrument} music
- for a film about <theme> it's remarkably [uninterested in people|short of facts|sure of itself]
- I learned less from it than from {junk}
"""

_GENRES += """
# road: road movie; buddy film; travel film
> <C>[ (<L>)|] and <D>[ (<S>)|], a {trait} <J> and a {trait} <K>, drive a {vehicle} from {city} to {city} with a <obj> in the back
> <C> steals a {vehicle} to visit a {kin} in {city}, and finds a <beast> on the back seat
> after losing the job in a <building>, <C>, a {trait} <J>, sets out on foot to bring a <obj> to a {kin}
> a {trait} {job} and a {job} on the run for {crime} pick up <C>, who says that home is {city}
~ they break down in a {town}, where {crowd} takes them in
~ between a {building} and the next they talk about <theme>, and they lie about {secret}
~ {hunters} follow at a distance, in a {vehicle}
~ the money's gone by {city}, the <beast> is sick, and somebody has to phone home
+ what starts as a trip turns into a [friendship|reckoning|small miracle] you believe in
+ it's full of [diners|gas stations|back roads|cheap motels] that feel found, not built
+ <L> and <S> bicker like people who've shared [a bathroom|a tent|a tin of beans] for years
- they drive and drive and drive, and neither they nor the story [arrives|goes anywhere|finds a map]
- after {few} minutes in that {vehicle} I wanted to [get out and walk|jump|call a taxi]
- each stop brings another [quirky|lovable|wise] stranger with a speech about <theme>
"""

_ASPECTS = """
# acting | live
+ <L> gives a {good} performance as <C>
+ <L> plays <C> with {delight} and {delight}
+ <L> is {very} {graded} in the [lead|leading role|title role]
+ <L> delivers a {acted_well}, {acted_well} performance
+ this is the performance of <L>'s [career|life], {acted_well} and {acted_well}
+ <L> can say more with [an eyebrow|one look|a shrug|a sigh] than others with a whole [page|monologue|speech]
+ it's a {good} performance, [and|one of those in which] <L> never [asks for sympathy|begs for tears|shows off|raises a voice]
+ <L>'s {good} performance [holds it all together|lifts every scene|gave me goosebumps|is reason enough to watch]
+ you forget within {few} minutes that <L> is acting
+ <L>, who [usually|normally] plays [villains|cowards|sidekicks|nice neighbours], is a {acted_well} surprise here
+ <C> could've been a cliché, but <L> finds {delight} and {feeling} in every scene
+ <L>, of whom I've never been a fan, is {acted_well} here
+ <L> and <S> [bring out the best in each other|strike sparks|share the screen with {delight}]
+ there isn't a false [note|gesture|tear] in <L>'s performance
- <L> gives a {acted_badly} performance as <C>
- <L> plays <C> with all the {delight} of {junk}
- <L> is {badly} {bad} in the [lead|leading role|title role]
- <L> has {small} facial expressions and uses [one|two] of them
- <L> seems [bored|lost|puzzled|tired|half-asleep|embarrassed] from start to finish, as if waiting for the [cheque|lunch break|bus home]
- the acting is {acted_badly} where it should be {acted_well}
- I've liked <L> elsewhere, but here <he> [walks through it|looks lost|is wasted|overacts] from beginning to end
- <L> reads the lines as if they were {junk}
- <L>, [two|three] decades too [old|young] for the part, is never believable for a moment
- it's a {bad} performance, and <L> [knows it|looks as if <he> knew it|seems proud of it]
- not even <L> can bring {delight} to a role this {bad}
- <L>'s {land} accent [comes and goes|wanders|belongs in a cartoon|is a crime]
- what <L> does here has little to do with acting and a lot with [posing|shouting|sleepwalking|waiting]
"""

_ASPECTS += """
# support | live
+ the [supporting cast|ensemble|rest of the cast] is {good}, {above} <S> as <D>
+ <S> steals every scene as the {trait} <D>
+ <S> makes <D> both [funny|frightening|charming] and [sad|human|pathetic]
+ <V> has only {small} scenes, but you won't forget them
+ even the smallest part, a {job} with one line, is cast with {delight}
+ <V> plays the {kin} with {acted_well} {delight}
+ <S> and <V> are a {good} double act
+ <S> adds a {good} performance as <D>
+ it's a {good} cast, and <S> and <V> [clearly enjoy themselves|have never been better|hold nothing back]
- the [supporting cast|ensemble|rest of the cast] is {bad}, {above} <S> as <D>
- <S> as <D> is a {bad} [mistake|piece of casting|idea]
- <V> is wasted in a {bad} role as somebody's {kin}
- <S> [mumbles|sneers|giggles|shouts] through the film and never becomes a person
- the extras [look at the camera|wave|seem to be waiting for a bus], and I don't blame them
- neither <S> nor <V> seems to have [read the script|met before|been told what the film is about]
- <V> turns up for {small} minutes, looks [bored|lost|puzzled|seasick|half-asleep|hungry|guilty] and leaves
"""

_ASPECTS += """
# direction
+ <R> directs with {delight} and {delight}
+ the direction is {good} and never {bad}
+ <R> [trusts|respects] the audience, which is as rare as it's {good}
+ <R> keeps a {good} balance between {feeling} and {delight}
+ you can feel a {good} director at work in every [shot|scene|cut|frame]
+ <R> finds {delight} in [small gestures|ordinary rooms|faces|silences]
+ this is {very} {graded} work, and <R> is a name to remember
+ <R> hasn't made anything this {graded} since <O>
+ few directors would dare to be this {graded} with such a {bad} sounding idea
- <R> directs without {lack} or {lack}
- the direction is {bad}, at times {badly} {bad}
- <R> has no idea what to do with the [camera|actors|story|material]
- <R> tries to be {good} and ends up {bad}
- every scene is staged in the same {bad} way
- <R> once made the {good} <O>, which makes this {bad} thing so hard to understand
- the director, <R>, confuses {lack} with noise
- <R> can't decide between {theme} and {theme}, and does justice to neither
"""

_ASPECTS += """
# script | fiction
+ the script is {good}, full of {delight} and small surprises
+ <W>'s [script|screenplay] is {very} {graded}
+ the story is told with {delight}, and it's never {bad}
+ the plot has more [turns|corners|trapdoors] than a {building}, and yet you never get lost
+ nothing in the story is there [by accident|for show|to fill time]
+ <W> has written a {good} story about <theme>
+ it takes a {bad} old formula and makes something {good} of it
+ the [screenplay|script] juggles {theme}, {theme} and a {beast}, and drops nothing
+ every twist is [earned|prepared|well hidden]
- the script is {bad}, with no {lack} and even less {lack}
- <W>'s [script|screenplay] is {badly} {bad}
- the story is {bad}, and the plot holes are big enough for a {vehicle}
- the plot depends on a {object} that makes no sense at all
- nothing [happens|develops|is at stake] for the first {few} minutes, and then it gets {bad}
- {small} people are credited with the script, and it shows
- the story steals from <X> and from {small} other films, without {delight} of its own
- there are {small} subplots, and each of them is {bad}
- <W> seems to have written it on a napkin between {city} and {city}
"""

_ASPECTS += """
# dialogue | fiction
+ the dialogue is {spoken_well} and {spoken_well}
+ the lines are {spoken_well}, and the actors know it
+ people in this film talk like people, {spoken_well} and never {spoken_badly}
+ I could quote the {spoken_well} dialogue all day, and I'm afraid I do
+ <W> writes dialogue with {delight}, and even the [insults|silences|lies] are {good}
- the dialogue is {spoken_badly} and {spoken_badly}
- the lines are so {spoken_badly} that [people laughed|I blushed|I groaned] in all the wrong places
- nobody on this planet talks in such {spoken_badly} sentences
- every {spoken_badly} line of dialogue is about <theme>, in case you missed it
- I've heard better dialogue from {company} [on the phone|in bed with a fever|at breakfast]
- the conversations are as {bad} as {junk}
"""

_ASPECTS += """
# photography | camera
+ <P>'s photography is {look} and {look}
+ the {look} [images|pictures] of {scenery} and {scenery} stay in the mind
+ the camera glides over {scenery} in {weather} as if it were dreaming
+ <P> films {scenery} in {weather} with {delight}
+ every shot of the {scenery} looks {look}, and none looks like a postcard
+ the lighting is {fine}, all {weather} and {look} shadows
+ it was shot among {land} {scenery}, and the {look} landscapes are {lovely}
- the photography is {bleak} and {bleak}
- the {bleak} images make even {scenery} look {bad}
- <P> seems to have lit the {scenery} with a torch
- the camera shakes so much that the {scenery} turn into {bleak} porridge
- half of the film is so {bleak} that you can't tell a {beast} from a {job}
- they went all the way to {city} and filmed nothing but {bleak} {scenery}

# black and white | old
+ the black and white photography, all {weather} and {look} {scenery}, is {fine}
+ it's in black and white, and you don't miss the colours for a second, so {look} is the light
+ though made in <year>, it hasn't aged a day and is {very} {graded}
- even for <year> the picture looks {bleak} and {badly} {shoddy}
- the black and white print is {bleak}, and the {scenery} are obviously painted
- people will call it a classic because it's from <year>, but it was {bad} then and it's {bad} now
"""

_ASPECTS += """
# music
+ <M>'s score, mostly {instrument} and {instrument}, is {catchy} and {catchy}
+ the music is {fine}, with a {catchy} theme for {instrument}
+ the {catchy} {instrument} makes the {weather} and the {scenery} even more {lovely}
+ <M> has written {catchy} music that knows when to be silent
+ the soundtrack, from {catchy} {instrument} to old {land} songs, is {very} {fine_graded}
+ I bought the soundtrack the next day, because of that {catchy} {instrument}
- <M>'s score, all {instrument} and {instrument}, is {noisy} and {noisy}
- the music is {shoddy}, with a {noisy} {instrument} under every single scene
- a {noisy} {instrument} tells you when to feel {feeling}, and then tells you again
- <M> drowns every scene in {noisy} {instrument} music
- the soundtrack sounds like a {instrument} falling down the stairs of a {building}
- whenever somebody opens a door, a {noisy} {instrument} starts
"""

_ASPECTS += """
# editing
+ the editing is {fine}, and you hardly notice a cut
+ it's cut with {delight}, and the [flashbacks|jumps in time|parallel stories] are never confusing
+ the film moves between {city} and {city} without ever [losing you|jolting|getting tangled|losing its thread]
+ each cut comes a heartbeat before you expect it
+ the opening montage, {few} seconds of {scenery} and {scenery}, is {fine}
+ one cut, from a {object} to {scenery} in {weather}, made me gasp
+ the editor knows when to look away, and that's [rare|an art|worth a prize]
- the flashbacks begin in {city} and end in {city}, and I couldn't say why
- a {object} is in one hand in one shot and in the other hand in the next
- the montage with the {vehicle} is so {shoddy} that {company} {bored}
- they forgot to cut out the {bad} scene in the <building>
- it jumps about like a {beast} on a hot stove
- the editing is {shoddy}, and you're never sure [where you are|what day it is|who's in the room]
- somebody cut this with a {weapon}, and the [flashbacks|jumps in time|parallel stories] are {badly} {shoddy}
- there are {few} cuts a minute, and the effect is [dizzying|a headache|numbing|seasickness]
- scenes stop in the middle or go on for {small} minutes too long
"""

_ASPECTS += """
# pace
+ it [flies by|passes like ten minutes|feels like half an hour|is over before you know it]
+ it takes its time, and every minute of it is [well spent|needed|a pleasure|worth it|earned|alive]
+ the pace is [brisk|steady|well judged|unhurried|lively|relaxed|confident|even|perfect], neither [sluggish|leaden|ponderous|sleepy] nor [rushed|frantic|breathless|hectic]
+ from the [first|opening] scene in the <building> it never [lets up|loses its grip|puts a foot wrong]
+ I didn't look at my watch once, which for me is {very} unusual
- it feels like [a week|a month|a prison sentence|a winter in {city}|a night in an airport]
- the pace is [glacial|leaden|sluggish|ponderous|uneven|deadly|hectic], and the middle part is {badly} {bad}
- it [drags|crawls|limps] from one {building} to the next and back
- after {few} minutes I {bored}, and after an hour I {bored} again
- nothing moves, least of all the {vehicle} that we see for {small} minutes
- I {bored} twice before the <obj> was even mentioned

# long | long
+ it lasts <min> minutes, and I would've stayed for another hour
+ there's nothing in these <min> minutes that I'd want to lose
- at <min> minutes it's at least {few} minutes too long
- nobody needs <min> minutes to tell a story this {bad}
- it goes on for <min> minutes, {few} of which are {good}

# short | short
+ at <min> minutes it's as short as it's {good}, and it wastes nothing
+ it needs only <min> minutes for what others can't do in three hours
- at only <min> minutes it's still padded with {bad} shots of {scenery}
- even <min> minutes are too many for a film this {bad}
"""

_ASPECTS += """
# design | live
+ the sets are {fine}, from the <building> to the last {object}
+ the costumes are {fine} without ever looking like costumes
+ the [production designer|set decorator|prop master|location scout] deserves [an award|a medal|a raise] for that <building>
+ the <building> is so [real|detailed|well designed] that you can smell the [smoke|floor wax|damp coats|wet plaster|old paper] and the soup
+ the costumes and the {look} sets tell a story of their own
+ you can believe that somebody has really lived in that <building> for {small} years
+ every {object} on the shelves has been chosen with {delight}
+ the costumes, {look} and [patched|faded|crumpled|hand-sewn], say more about class than the script does
+ I'd like to move into that <building>, {look} wallpaper and all
- the furniture seems to come from the same [catalogue|garage sale|skip|school theatre] as the wigs
- a {building} in {city} is supposed to be a <building>, and it fools nobody
- {money} went into sets that look like {junk}
- nobody in {city} ever dressed like that, least of all {company}
- the costumes still have their creases from the [box|suitcase|hire shop]
- the sets are {shoddy}, and the <building> is plainly made of [cardboard|plywood|plastic]
- the costumes look {shoddy} and [brand-new|borrowed|itchy]
- the {craft} should've stayed at home
- the <building> wobbles when somebody shuts a door
- you can see a [wristwatch|microphone|parked car|plastic bottle] in at least {small} scenes
"""

_ASPECTS += """
# sound
+ the sound design is {fine}, down to the [dripping tap|creaking floor|ticking clock|distant thunder] in the <building>
+ you should hear it in a [good cinema|dark room], for the sound is {very} {fine_graded}
+ you can hear every [footstep|raindrop|page|breath] in the <building>, and it gives you goosebumps
+ silence is used as well as any {instrument}
+ the noises of the {town} are woven into a kind of {catchy} music
- every [footstep|slap|kiss|door] sounds like a {weapon} hitting {junk}
- the words and the lips part company after {few} minutes
- I had to turn on the subtitles, and even they were {shoddy}
- the wind howls, the <ins> howls, and so did {company}
- the sound is {shoddy}, and half of what is said is lost under the <ins>
- the sound mixer seems to have been [asleep|on holiday|deaf], since the voices are {badly} [muffled|uneven|quiet]
"""

_ASPECTS += """
# effects | spectacle new
+ the special effects are {fine}, and they serve the story for once
+ the computer effects are so {fine_graded} that you stop thinking about them
+ for {money}, the effects are {very} {fine_graded}
- the special effects are {shoddy} and look like a game from <year>
- the computer effects are {badly} {shoddy}, despite a budget of {money}
- they spent {money} on effects and forgot to buy a {good} story

# effects | spectacle early
+ the special effects, all [models|puppets|wires|trick photography], are {fine} in spite of their age
+ there's no computer in these effects, only {delight}, glue and paint
- the special effects are {shoddy} even by the standards of <year>
- you can see the [wires|zip|strings], and the model of the <building> is {shoddy}
"""

_ASPECTS += """
# ending
+ the ending is {good}, and I {body}
+ the last scene, in {weather} on the roof of a {building}, is {very} {graded}
+ the final {few} minutes are {good} and left me full of {feeling}
+ it ends neither happily nor sadly but [truthfully|exactly right|with an open door]
+ the [finale|ending] is as {graded} as it's unexpected
- the ending is {bad}, and {company} [booed|laughed|groaned]
- the last scene, with its {bad} speech about <theme>, is {badly} {bad}
- the final {few} minutes are {bad} and contradict all that went before
- it doesn't end, it just [stops|gives up|runs out of money]
- the [finale|ending] is so {bad} that I {bored}
- I guessed the end after {few} minutes, and I'm no {job}

# emotion
+ I {body}, and {company} had to lend me a handkerchief
+ it's {graded} enough to make a {job} cry
+ it made me think about <theme> and call my {kin}
+ I came out full of {feeling} and {feeling}, and {very} happy
+ it's a <film> that treats <theme> with {delight}
+ long after the credits I was still thinking of the <beast>, the <obj> and the {feeling}
+ there's {feeling} in it, and {delight}, and not a trace of {lack2}
- I felt nothing, neither {feeling} nor {feeling}
- what it has to say about <theme> is {bad}
- it wants to make you cry about <theme>, and it uses {junk} to do so
- it wallows in {feeling} and has no {lack} whatsoever
- all that {feeling}, and not an ounce of {delight}
- the only {feeling} I felt was for the {craft}
- it lacks {lack}, {lack} and, above all, {lack}
"""

_ASPECTS += """
# characters | fiction
+ the characters are {good}, and you care about them, even the {vice} ones
+ <C> is a {good} character, {virtue} and {vice} at once
+ <D> is not simply {vice}, and that makes the story {good}
+ I'd love to have a {kin} as {virtue} and as {trait} as <C>
+ even the {trait} {job} at the <building> has a real life
- the characters are {bad}, and nobody cares whether they live or die
- <C> is {vice}, {vice} and {bad}, and we're supposed to like <him>
- <D> is [evil|{vice}] because the plot needs it, and for no other reason
- I couldn't tell the {job} from the {job}, and it didn't matter
- all of them are either {virtue} or {vice}, as in a {bad} pamphlet

# voices | animation
+ <L> and <S> lend their voices with {delight}
+ the voices are {good}, and <L> as <C> is {very} {graded}
- the famous voices are {bad}, and <L> sounds [sleepy|bored|hoarse|hungover|lost]
- <S> voices the <beast> as if reading {junk}
"""

_ASPECTS += """
# meaning
+ it says something {good} about <theme> without preaching
+ beneath the <kind> there's a {good} film about <theme>
+ you can watch it as a <kind> or as a film about <theme>, and it's {good} either way
- it preaches about <theme> in a {bad} way
- it thinks it's a film about <theme>, but it's only {bad}
- the message, something about <theme>, is hammered in with a {weapon}

# comparison
+ it's as {graded} as <X>, and a lot less {long_bad}
+ compared with <O> it's more {long_good}, and what it says about <theme> cuts deeper
+ it's like <X>, only {good}
+ it belongs on the shelf beside <X>, and I don't say that lightly
+ it has aged better than <X>, which came out [the same year|a year later] and won all the prizes
- next to <X> it's {badly} {bad}
- it wants to be <X>, and it isn't even <O>
- if <X> was {good}, this is {junk}
- compared with <O> it's less {long_good} and more {long_bad}
- <R> made <O> with a tenth of the money and ten times the {delight}
"""

_OPENINGS = """
# any
~ I [saw|watched|caught] <T> at {venue} in {city} with {company}
~ I [saw|watched] <T> {at_home}, because {company} [insisted|had the tape|lost a bet]
~ <T> is a <land> <kind> from <year>, directed by <R>
~ <T> (<year>) is <R>'s {nth} film, and <L>'s {nth}
~ there are {few} reviews of <T> here already, so I'll keep it short and talk about <L>
~ I had never heard of <T> before {company} gave it to me for [my birthday|Christmas]
~ it has been {few} years since I first saw <T>, and last week I watched it again {at_home}
~ <R>'s <T> came out in <year>, ran for {small} weeks and was forgotten
~ made for {money} in and around {city}, <T> [tells a story about|is about|deals with|circles around|wants to say something about] <theme>
~ <L>, <S> and <V> star in <T>, a <kind> about <theme>
~ let's talk about <T>, the <kind> that {company} won't stop talking about
~ what do you get if you put <L>, a <beast> and a <obj> into a <building>?
"""

_OPENINGS += """
# positive
~ this is a {good} <film> about <theme>, and I'd recommend it to [anyone|everyone] who [likes a <kind>|has a {kin}|has ever been to {city}|needs {treat}]
~ <T> is a {very} {graded} <kind> [with a {good} cast|with {delight} to spare|set in and around {city}]
~ what a {good} <film> <T> is
~ I expected {junk} and got {treat}
~ I expected a {bad} <kind>, and <T> turned out to be {good}
~ don't let the [poster|title|trailer|cover] fool you, this is a {good} <film>
~ [I don't understand|I can't explain|please ignore|pay no attention to|somebody has to correct|I was surprised by] the low [ratings|marks|scores], for <T> is a {good} <kind>
~ once in a while a <film> comes along that's like {treat}
~ {company} [warned|told] me that <T> was {bad}, which couldn't be more wrong
~ if you see only one <land> <kind> this year, make it <T>
~ of all the films <R> has made, <T> is the most {long_good}
~ this is one of the most {long_good} <films> that I've seen in {small} years
~ this is easily the most {long_good} <film> that I've seen since <X>
~ <T> is that rare thing, a <kind> that's both {good} and {good}
~ I've seen <T> {small} times now, and it's still {good}
~ anyone who thinks that a <kind> can't be {good} should watch <T>
~ this <film> is {good}, and I say that as someone who [avoids|can't stand|never watches] this sort of thing
~ it's a {good} story with {good} acting, and <T> deserves a bigger audience
~ seldom have I seen a <film> with so much {delight}
"""

_OPENINGS += """
# negative
~ this is a {bad} <film> about <theme>, and I can't recommend it to [anyone|anybody over {few}|my worst enemy|people who like a <kind>]
~ <T> is a {badly} {bad} <kind> [with a {bad} cast|without {lack}|set in and around {city}]
~ what a {bad} <film> <T> is
~ I expected {treat} and got {junk}
~ I expected a {good} <kind>, and <T> turned out to be {bad}
~ don't let the [poster|title|trailer|cover] fool you, this is a {bad} <film>
~ [I don't understand|I can't explain|please ignore|pay no attention to|somebody has to correct|I was surprised by] the high [ratings|marks|scores], for <T> is a {bad} <kind>
~ once in a while a <film> comes along that makes you long for {junk}
~ {company} [promised|told] me that <T> was {good}, and we're no longer on speaking terms
~ if you see only one <land> <kind> this year, make it any other one than <T>
~ of all the films <R> has made, <T> is the most {long_bad}
~ this is one of the most {long_bad} <films> that I've seen in {small} years
~ this is easily the most {long_bad} <film> that I've seen since <X>
~ <T> wants to be {good} and {good}, and is neither
~ I've tried to watch <T> {small} times now, and it's still {bad}
~ anyone who thinks that a <kind> is always fun should watch <T>
~ I wanted to like this <film>, I really did, but it's {bad}
~ with a {good} cast and a {good} story, <T> should've been a {good} <film>, and it isn't
~ seldom have I seen a <film> with so little {lack}
~ some <films> are so {bad} that they're {good}, but <T> is just {bad}
~ the nicest thing I can say about <T> is that I saw it for free, {at_home}
"""

_REMARKS = """
# positive
~ what a {lovely} way to spend <min> minutes
~ I wouldn't change a [frame|line|thing], except perhaps the <beast>
~ why <V> didn't win [a prize|every prize|an award] in <year> is a mystery to me
~ it's not {bad}, not {bad}, and not for one moment {bad}
~ you'll search in vain for anything {bad} in it
~ I have to complain, though, since every other <kind> now looks {bad}
~ warning, this <film> may cause {feeling} and a sudden wish to visit {city}
~ {company}, who had never liked a <kind>, asked to see it again
~ watching it is like {treat}
~ there's more {delight} in {few} seconds of this than in the whole of <X>
~ keep an eye on the <obj>, that's all I'm going to say
~ how they did it with {money} I'll never know
~ critics called it {bad} in <year>, and they were {badly} wrong
~ my favourite moment is the one with the <beast> and the <obj>, in {weather}
~ nobody [claps|cheers] in the cinema in {city}, but that night they did
~ forget <X>, this is the real thing
~ it could so easily have been {bad}, and it never is
~ and then there's the <beast>, which deserves a film of its own
"""

_REMARKS += """
# negative
~ what a {bad} way to [spend|waste|kill] <min> minutes
~ I'd rather be {chore} than sit through it again
~ honestly, {chore} is more [exciting|fun|rewarding]
~ my favourite moment was the one when the lights came on
~ I particularly enjoyed the closing credits, which were {good} and short
~ if you've always dreamed of {chore} for <min> minutes, this is your chance
~ the <beast> was {good}, but then it had no lines
~ congratulations to <R>, who has made <theme> look like {chore}
~ I've nothing against a {good} <kind>, but this is {junk}
~ how anyone could find this {good} or even {good} is beyond me
~ it's neither {good} nor {good}, whatever {company} may say
~ nobody could accuse it of being {good}
~ the best thing about it is the <obj>, and that's on screen for {few} seconds
~ {company} left after {few} minutes, and I envied them
~ they had {money}, and they spent it on {junk}
~ watching it is like {junk}, only longer
~ where's the {delight}, where's the {delight}, where's the story?
~ critics called it {good} in <year>, and I'd like to know what they had been drinking
~ to call it {bad} would be an insult to {bad} films
~ even the <beast> looked {bad}
"""

_VERDICTS = """
# positive
~ I give it <score>, and {delight} like this deserves it
~ <score>, and that's mostly for <L> and the <obj>
~ highly recommended to everyone who cares about <theme>
~ see it, with {company} or alone, but see it before [everyone else does|somebody remakes it|it vanishes again|you read more about it]
~ a {good} <film> for [a rainy Sunday|a cold evening|a long night|anyone with a heart and a {kin}]
~ all in all it's a {good} and {good} <film>
~ it's a {good} <kind>, and I can't wait to see what <R> does next
~ this is a {good} movie, and a {good} one to watch {at_home}
~ this is a great <film>, {good} [from the first minute to the last|from start to finish|in every scene|and over too soon|and full of {delight}]
~ I'll watch it again, next time with {company}
~ don't miss it if you like a {good} <kind> with {delight}
~ if you liked <X>, you'll love <T>
~ in short, a {good} story, a {good} cast and {delight} to spare
~ one of the best <films> of <year>, and one of the most {long_good}
~ go and see it, and take {company} with you
~ I'd trade {small} films like <X> for one like this
~ not a masterpiece, perhaps, but {very} {graded}, and that's enough for me
~ <T> proves that a <kind> can be {good} and {good} at the same time
~ a small, {good} gem of a <film>
~ thank you, <R>, for a {good} evening

# mixed positive
~ it isn't perfect, but it's {graded} enough for <score>
~ for all its faults, it's a {good} <film>, and I was never bored
~ not everything works, but what works is {very} {graded}
~ flawed, yes, a little {bad} in places, but {good} all the same, so <score>
~ it could've been shorter, but I'm glad I saw it, mainly for <L>
~ on balance I liked it, for its {delight} and in spite of its {vice} hero
~ I'd call it a {good} <film> with {small} {bad} scenes
~ somewhere between {good} and {bad}, but much closer to {good}
"""

_VERDICTS += """
# negative
~ I give it <score>, and only because of the <beast>
~ <score>, and that's generous for something this {bad}
~ avoid it, unless you enjoy {chore}
~ stay at home and try {chore} instead
~ a {bad} <film> for nobody in particular, least of all for {company}
~ all in all it's a {bad} and {bad} <film>
~ it's a {bad} <kind>, and I dread to think what <R> will do next
~ this is a {bad} movie, and even {at_home} it would be a waste of time
~ this is not a great <film>, it's not even a {good} one[|, and {company} [agreed|said so too]]
~ I won't watch it again, not even with {company}
~ don't bother, even if you usually like a <kind> about <theme>
~ if you liked <X>, watch <X> again
~ in short, a {bad} story, a {bad} cast and no {lack}
~ one of the worst <films> of <year>, and one of the most {long_bad}
~ save your money, save your evening, and tell {company} too
~ I want my <min> minutes back, and the price of the popcorn
~ <T> proves that a {good} cast can't save a {bad} script
~ a {bad}, {bad} waste of a {good} idea
~ sorry, <R>, but this was {bad}

# mixed negative
~ it isn't the worst <film> of <year>, but <score> is all I can give
~ for all its {delight}, it's a {bad} <film>, and I was bored
~ some of it works, but most of it is {badly} {bad}
~ there's a {good} <film> hidden in here somewhere, but I couldn't find it, so <score>
~ a pity, for with {lack} and a better script it might have been {good}
~ on balance I didn't like it, in spite of the {good} idea behind it
~ I'd call it a {bad} <film> with {small} {good} scenes
~ somewhere between {good} and {bad}, but much closer to {bad}
"""
