"""Write `mini/squad`, a small offline stand-in for SQuAD v1.1: encyclopaedia articles about invented things, and questions whose answers stand in them"""

import functools
import hashlib
import random
import re
from dataclasses import dataclass, field
from functools import cache

from .question_words import NAMES, THINGS, Person

DOCUMENTS: dict[str, str] = {}

DOCUMENTS["company"] = r"""
the company|the firm; it
C=company D=company p=person q=person r=person t=town u=town v=town a@1850-1930 b@1850-1935 c@a+6-14 d@c+8-25 e@d+3-12 n#20-90 m#1200-9000 k#15-75 g%goods h%goods w%grievance s%sum l#2-11 x#3-40 z#2-60
always ab
abcdefgh acbdhegf abegcdfh

<C> is a (maker|manufacturer) of <g> (based|with its headquarters) in <t>.
<C>, (one of the oldest firms in|a family firm in) <t>, (makes|produces) <g>.
? what does <C> (make|produce|manufacture) = g
? (where|in which town) (does <C> have its headquarters|is <C> based) = t

<p> (founded|started|established) <C> <on:a> with <n+workers> in a (rented|disused) (mill|barn|chapel) in <u>.
<C> was (founded|set up) <on:a> by <p>, who (bought|rented) a (shed|stable|cellar) in <u> and hired <n+workers>.
<on:a>, <p> opened the (workshop|factory) in <u> from which <C> grew; it had <n+workers>.
? who (founded|started|set up|established) <C> = p
? (by whom was <C> founded|who was the founder of <C>) = p
? (when|in what year) was <C> (founded|established|started) = a
? (in which town|where) did <C> (begin|start out|have its first workshop) = u
? how many workers did <C> (have at the start|start with|employ at first) = n

<C's> main (rival|competitor), <D>, had been (founded|set up) in <v> <on:b> by <q>.
Its (strongest|main) competitor was <D>, which <q> had (started|established) in <v> <on:b>.
? who (founded|started|set up|established) <D> = q
? (when|in what year) was <D> (founded|established|started) = b
? (in which town|where) was <D> (founded|set up|established) = v
? which (firm|company) was the (rival|competitor) of <C> = D

At first <C> made <h>, but <on:c> it gave them up.
<C> (had begun|began) with <h>, which it (dropped|abandoned) <on:c>.
? what did <C> (make|produce|manufacture) (at first|in its early days|in the beginning) = h
? when did <C> (stop making|give up) <h> = c

<on:d> the workers of <C> went on strike over <w> and stayed (away|out) for <l*weeks>.
A strike over <w> <on:d> closed the factory of <C> for <l*weeks>.
? why did the workers of <C> (strike|go on strike|stop work) = w
? how long did the (strike|walkout) at <C> last = l
? when did the workers of <C> (strike|stop work) = d

By <y:e> <C> (employed|gave work to) <m+people> and exported to <x+countries>.
Its workforce had grown to <m+people> by <y:e>, and its goods were sold in <x+countries>.
? how many people (did <C> employ|worked for <C>) in <y:e> = m
? (to how many|in how many) countries did <C> sell its goods = x

needs b
When <p> retired, <his:p> (cousin|former assistant|son-in-law) <r> (took over|became director).
<r>, (formerly the bookkeeper|once an apprentice of the house), (took over the management of <C>|became director of <C>) when <p> fell ill.
? who (took over <C> from|succeeded) <p> = r
? who (became|was made) director of <C> after <p> = r

needs c
<D> was sold for <z*million> and closed soon afterwards.
After a fire, <D> was bought by a bank for <z*million>.
? (for how much|at what price) was <D> sold = z
? how much was paid for <D> = z
"""

DOCUMENTS["biography"] = r"""
person
A=person p=person q=person r=person t=town u=town v=town w=town S=school B=work E=work a@1790-1935 b@a+2-9 c@a+18-22 d@c+3-8 e@d+4-12 f@e+8-25 j%art k%job o%trade s%subject z%cause n#2-9 m#130-990
always ac
abcdefgh acbdehfg acdegbfh

<A> was <a:j> who was born in <t> <on:a>; <his:A> father was <a:o>.
<A>, <a:j>, was born <on:a> in <t> and grew up as the child of <a:o>.
Born <on:a> in <t>, <A> was <a:j> whose father (worked as|was) <a:o>.
? when was <A> born = a
? (where|in which town) was <A> born = t
? what was <A's> (occupation|profession) = j
? what did the father of <A> do for a living = o

<A's> younger cousin <q>, born in <w> <on:b>, became <a:k>.
A younger cousin, <q>, was born in <w> <on:b> and (later worked as|became) <a:k>.
? when was <q> born = b
? (where|in which town) was <q> born = w
? what did <q> become = k
? what was <q's> (occupation|profession) = k

<A> studied <s> at <S> in <u>, where <p> was <his:A> teacher.
<on:c> <A> went to <u> to study <s> under <p> at <S>.
At <S> in <u>, which <he:A> entered <on:c>, <A> was taught <s> by <p>.
? what (subject|) did <A> study = s
? who (taught|was the teacher of) <A> = p
? at which (school|university) did <A> study = S
? which (school|university) did <A> attend = S
? when did <A> (go|move) to <u> = c
? in which town did <A> study = u

<on:d> <A> finished <B>, which made <him:A> known (far|well) beyond <t>.
<A> became known with <B>, completed <on:d>.
? when did <A> (complete|finish) <B> = d
? (with which work did <A> become|what work made <A>) (known|famous) = B

<E> appeared <on:e> and was dedicated to <r>.
Another (large|major) work, <E>, appeared <on:e>; it is dedicated to <r>.
? when (did <E> appear|was <E> published) = e
? to whom (is|was) <E> dedicated = r

After <z> destroyed <his:A> house <on:f>, <A> moved to <v>.
<A> left for <v> <on:f> when <z> had ruined <his:A> home.
? what destroyed the (house|home) of <A> = z
? where did <A> move after the loss of <his:A> (house|home) = v
? when did <A> move to <v> = f

<A> had <n+children> and left behind <m+letters>.
Of the letters of <A>, <m+pieces> survive, many of them to <his:A> <n+children>.
? how many children did <A> have = n
? how many letters (by|of) <A> (survive|are preserved|exist) = m

needs b
<r> paid for <his:A> last journey, and <q> looked after the papers.
<q> looked after <his:A> papers, and <r> paid for the last journey.
? who looked after the (papers|manuscripts) of <A> = q
? who (paid for|financed) the last journey of <A> = r
"""

DOCUMENTS["town"] = r"""
the town; it
T=town N=town R=river Z=region p=person q=person r=person a@1210-1480 b@1600-1750 c@1780-1850 d@c+10-60 e@d+5-50 n#3000-48000 m#2000-39000 x#120-900 y#14-60 i%industry j%industry z%cause f%find g%stone o%material k#6-70
always ab
abcdefgh abdcehgf abgdcehf

<T> is a town in <Z> on the river <R>, with <n+inhabitants>.
<T>, a town of <n+inhabitants>, lies on the river <R> in <Z>.
? on which river (does <T> lie|is <T>) = R
? how many (people live in <T>|inhabitants does <T> have) = n
? in which region is <T> = Z

It received (its charter|town rights) <on:a>, while (the neighbouring|neighbouring) <N>, with <m+inhabitants> today, had to wait until <y:b>.
<T!> (was granted|obtained) town rights <on:a>; nearby <N>, where <m+people> live, (became a town|was given them) only in <y:b>.
? when did <T> (become a town|receive its charter|get town rights) = a
? when did <N> (become a town|receive its charter|get town rights) = b
? how many (people live in <N>|inhabitants does <N> have) = m

For centuries <T> lived from <i>, whereas <N> was known for <j>.
The wealth of <T> came from <i>, that of <N> from <j>.
? (what was|which trade was) the (main|chief) (industry|source of income) of <T> = i
? (what was|which trade was) the (main|chief) (industry|source of income) of <N> = j

<on:c> <z> destroyed <x+houses>, and the mayor, <p>, had them rebuilt in <g>.
After <z> had ruined <x+houses> <on:c>, mayor <p> ordered that <g> be used for the new ones.
? what destroyed (many|so many) houses in <T> = z
? when (was <T> (damaged|hit) by a disaster|did <T> lose many houses) = c
? how many houses were (destroyed|lost) in <T> = x
? who was mayor of <T> at the time of the disaster = p
? (what material was used|what was used) to rebuild <T> = g

A bridge of <o> designed by <q> was opened <on:d>; the one in <N> is the work of <r>.
<q> designed the bridge that was opened <on:d>, and <r> the one in <N>.
? who (designed|built|was the architect of) the bridge in <T> = q
? who (designed|built|was the architect of) the bridge in <N> = r
? when was the bridge in <T> (opened|finished|completed) = d
? what is the bridge in <T> made of = o

<on:e> workers digging a (cellar|sewer|canal) found <f>, now in the museum of <T>.
<f> came to light in <T> <on:e> when a (well|garage|tunnel) was dug.
? what did workers (find|discover|dig up) in <T> = f
? when was <f> (found|discovered|dug up) in <T> = e

The railway (station|line) made the journey from <T> to the capital <k*minutes> shorter.
A canal <y*kilometres> long links <T> with <N>.
? how long is the canal between <T> and <N> = y
? (by how much|how much) did the railway shorten the journey from <T> to the capital = k

needs de
A street in <T> is named after <p>, and a (square|school) in <N> after <q>.
<N> has named a (square|school) after <q>, and <T> a street after <p>.
? after whom is a street in <T> named = p
"""

DOCUMENTS["river"] = r"""
the river; it
R=river P=river Q=river M=river t=town u=town v=town Z=region I=island p=person a@1650-1830 b@a+10-90 c@1880-1990 l#90-900 m#12-80 n#14-85 h#300-1900 w#40-400 x#1200-9500 z%block g%stone d%enemy e%cargo y#4-30
always ab
abcdefgh acbdhefg adbcghef

The <R!> is a river in <Z>, <l*kilometres> long.
The river <R!> flows through <Z> for <l*kilometres>.
? how long is the <R> = l
? through which region does the <R> flow = Z

<R> rises near <t> at a height of <h*metres> and reaches the sea at <u>.
Its source lies near <t>, <h*metres> above the sea, and its mouth at <u>.
? (where|near which town) (is the source of the <R>|does the <R> rise) = t
? at what height (is the source of the <R>|does the <R> rise) = h
? (where|in which town) does the <R> (reach|flow into) the sea = u

From the left it is joined by the <P>, <m*kilometres> long, and from the right by the <Q>, which measures <n*kilometres>.
Its tributaries are the <P> from the left, with a length of <m*kilometres>, and the <Q> from the right, with <n*kilometres>.
? how long is the <P> = m
? how long is the <Q> = n
? which river joins the <R> from the left = P
? which river joins the <R> from the right = Q

<on:a> <z> blocked <R>, and the flood that followed drowned <w+people> in <v>.
<z> dammed <R> <on:a>; when the water broke through, <w+people> died in <v>.
? what (blocked|dammed) the <R> = z
? how many people (died|drowned) in <v> = w
? when was the <R> blocked = a
? which town was (flooded|hit) by the <R> = v

<p> mapped <R> <on:b> and gave the island of <I> its name.
The first map of <R> was drawn <on:b> by <p>, who also named the island of <I>.
? who (mapped|drew the first map of) the <R> = p
? when was the <R> (first mapped|mapped) = b
? which island in the <R> did <p> name = I

Boats (carry|carried) <e> from <t> to <u>, a journey of <y*days>.
Until the railway came, <e> (travelled|went) down <R> past <t> in boats that needed <y*days>.
? what (goods did boats carry|was carried by boat) on the <R> = e
? how long did boats (need|take) on the <R> = y

A dam of <g> was built across <R> <on:c>, and the lake behind it covers <x*hectares>.
<on:c> engineers dammed <R> with a wall of <g>, which made a lake of <x*hectares>.
? what is the dam on the <R> made of = g {dam}
? what is the wall in the <R> made of = g {wall}
? when was the dam on the <R> built = c
? how large is the lake on the <R> = x

needs c
Near <v> the banks are a refuge for <d>, while the <M> further north has lost them.
<d> breed along the <P>, which is closed to boats in spring.
? which animals (breed|live) along the <P> = d {breed}
? which animals (breed|live|have a refuge) near <v> = d {refuge}
"""

DOCUMENTS["expedition"] = r"""
the expedition; it
X=expedition p=person q=person r=person o=person t=town u=town v=town I=island G=ship H=ship a@1790-1925 b@a+1-2 c@b+1-2 d@c+1-5 n#14-80 m#13-70 k#80-900 l#81-950 z%trouble y%trouble g%goal j%gear s%sum f#20-95 x#2-9
always abc
abcdefgh acbdfegh abcfdegh

<X!> set out from <t> <on:a> to find <g>.
<X!>, which left <t> <on:a>, was to (look for|find) <g>.
? from which town did <X> (start|set out|leave) = t
? where did <X> (start|set out) from = t
? when did <X> (start|set out|leave) = a
? what was the (aim|goal) of <X> = g
? what was <X> (meant to find|looking for) = g

It was led by <p> with <q> as (deputy|second in command) and had <n+members>.
<p> led its <n+members>, and <q> was (second in command|deputy leader).
? who (led|was the leader of|commanded) <X> = p
? who was (the deputy leader|second in command|the deputy) of <X> = q
? how many (members did <X> have|people took part in <X>) = n

A rival party of <m+people> under <r> had sailed from <u> in the <G> a few weeks before.
At the same time <r> left <u> with <m+companions> on board the <G>.
? who (led|was the leader of|commanded) the party on the <G> = r
? from which town did the <G> (sail|leave) = u
? how many people were (on board|on) the <G> = m

needs c
<z> cost <X> <x*weeks>, and <y> stopped the <G> as well.
<X> was held up for <x*weeks> by <z>, the <G> by <y>.
? what (delayed|held up) <X> = z
? what (delayed|held up|stopped) the <G> = y
? how long was <X> (delayed|held up) = x

<on:b> <p> reached the island of <I>, where <o> stayed behind to keep the weather records.
The island of <I> was reached <on:b>; <o> remained there as an observer.
? which island did <X> reach = I
? when did <X> reach the island of <I> = b
? who (stayed behind|remained) on the island of <I> = o

needs c
With <j> the travellers covered <k*kilometres>, the other party <l*kilometres>.
<X> covered <k*kilometres> with <j>.
? how (far did <X> travel|many kilometres did <X> cover) = k
? what did <X> use (for transport|to travel overland) = j

The survivors returned to <v> <on:c> on board the <H>.
<on:c> the <H> brought the survivors back to <v>.
? on which ship did (the members of |)<X> return = H
? when did <X> return = c
? to which town did <X> return = v

The (whole enterprise|enterprise) cost <f*thousand>, and <q> published the report <on:d>.
<q> wrote the report, which appeared <on:d>; the (whole enterprise|enterprise) had cost <f*thousand>.
? who (wrote|published) the report (on|about) <X> = q
? how (expensive was <X>|much did <X> cost) = f
? when was the report (on|about) <X> published = d
"""

DOCUMENTS["invention"] = r"""
the device|the machine; it
V=device W=device p=person q=person r=person t=town u=town C=company D=company S=school a@1820-1940 b@a+1-6 c@b+2-10 d@c+5-25 w@1822-1960 n#30-95 m#130-990 x#13-90 g%device_use h%device_use i%part f%flaw s%sum j%trade
always ab
abcdefgh acbdgefh adbchfeg

<V!> is a machine for <g>, invented <on:a> by <p>.
<V!>, a device for <g>, was invented by <p> <on:a>.
? what (is|was) <V> used for = g
? who invented <V> = p
? when was <V> invented = a

<p>, <a:j> from <t>, built the first model from <i>.
At its heart is <i>, which <p>, <a:j> in <t>, had (bought|found) at a market.
? what was the (trade|occupation) of <p> = j
? in which town did <p> (live|work) = t {in}
? which town did <p> come from = t {from}
? what (is|was) the (first model|heart) of <V> (made from|made of|made up of) = i

It was patented <on:b> and first made by <C>, which sold <m+pieces> in the first year.
<C> bought the patent of <V>, granted <on:b>, and sold <m+pieces> within a year.
? when was <V> patented = b
? which company (made|sold|first made) <V> = C
? how many pieces of <V> were sold in the first year = m

Buyers complained about <f>, so <r> of <S> improved it <on:c>.
Because of <f>, it was redesigned <on:c> by <r>, a lecturer at <S>.
? what (did buyers complain about in|was wrong with) <V> = f
? who (improved|redesigned) <V> = r
? when was <V> (improved|redesigned) = c
? where did <r> (teach|work) = S

<W>, a similar (machine|device) for <h>, was the work of <q> and dates from <y:w>.
In <y:w> <q> invented <W>, which served for <h>.
? what (is|was) <W> used for = h
? who invented <W> = q
? when was <W> invented = w

A court in <u> fined <D> <n*thousand> for copying <V>.
<D> copied <V>, and a court in <u> (set a fine of|imposed a fine of) <n*thousand>.
? which company copied <V> = D
? how (much was <D> fined|high was the fine for <D>) = n
? in which town was <D> (fined|taken to court) = u

It weighs <x*kilograms> and can be worked by one person.
One specimen, <x*kilograms> in weight, is kept at <S>.
? how heavy is <V> = x {person}
? how much does <V> weigh = x {person}
? what is the weight of the (surviving |)specimen of <V> = x {specimen}

The last <bare:V> left the workshop <on:d>.
Production of <V> (ended|stopped) <on:d>, when (demand|interest) had faded.
? when was the last <bare:V> made = d
"""

DOCUMENTS["building"] = r"""
the building; it
H=building K=building t=town p=person q=person r=person o=person C=company a@1680-1890 b@a+2-9 c@b+12-60 d@c+1-4 e@1930-2010 g%material h%material z%cause u%use v%use n#20-95 m#21-99 l#410-990 x#100-400 y#5-28 s%sum w#3-19
always ab
abcdefgh acbdehfg abdfcheg

<H!> is a building in <t>, built of <g> and <n*metres> high.
<H!> in <t> is <n*metres> high and built of <g>.
? in which town is <H> = t
? how (high|tall) is <H> = n
? what is <H> (built|made) of = g

<p> (designed|drew the plans for) <H>, and <q> supervised the works from <y:a> to <y:b>.
It was erected between <y:a> and <y:b> by <q> after plans by <p>.
? who (designed|was the architect of|drew the plans for) <H> = p
? who (supervised the building of|directed the building of|built) <H> = q
? when was <H> (finished|completed) = b
? when was (work on <H> begun|<H> begun) = a

<K>, (just across|on the other side of) the street, is <m*metres> high and consists of <h>.
It is overlooked by <K>, which is <m*metres> high and made of <h>.
? how (high|tall) is <K> = m
? what is <K> (built|made) of = h
? which building stands near <H> = K

<on:c> <z> left only the walls of <H> standing, and for <w*years> nobody touched the ruin.
<z> ruined <H> <on:c>; it then stood empty for <w*years>.
? what (ruined|destroyed|damaged) <H> = z
? when was <H> (ruined|destroyed|damaged) = c
? how long (did <H> stand|was <H>) empty = w {empty}
? how long was <H> left as a ruin = w {nobody}

It served as <u> during the war and as <v> after it.
During the war <H> was used as <u>, later as <v>.
? what was <H> used as during the war = u
? what was <H> used as after the war = v

needs d
<C> restored <H> for <y*million>, a sum that <r> had (left in a will|collected).
The restoration of <H> by <C> cost <y*million>, most of which was given by <r>.
? which company restored <H> = C
? how much did the restoration of <H> cost = y
? who (gave|provided) (the money|most of the money) for the restoration of <H> = r

Its great hall seats <l+visitors>, and <x+steps> lead up to the roof.
There are <x+steps> to the roof of <H>, and the hall has room for <l+guests>.
? how many (people fit|visitors fit) into the hall of <H> = l
? how many steps lead to the roof of <H> = x

<o> painted the ceiling <on:e>, and <p> is (shown|portrayed) in one corner.
The ceiling painting of <y:e> is by <o>.
? who painted the ceiling of <H> = o
? when was the ceiling of <H> painted = e
"""

DOCUMENTS["season"] = r"""
the season; it
S=season C=club D=club E=club p=person q=person r=person o=person t=town a@1905-2015 x%sport n#41-80 m#20-40 k#13-19 l#20-34 g#35-60 f#2400-38000 h#1100-9800 i%injury j%injury w#3-12
always ac
abcdefgh acbdefhg abcedhfg

<S!> in <x> was won by <C> with <n+points>, ahead of <D> with <m+points>.
In <S!> in <x>, <C> became champions with <n+points>, and <D> came second with <m+points>.
? which club won <S> = C
? which club came second in <S> = D
? how many points did <C> (win|collect|finish with) = n
? how many points did <D> (win|collect|finish with) = m
? what sport was played in <S> = x

The champions were coached by <p>, the runners-up by <q>.
<p> was the coach of <C>, and <q> that of <D>.
? who (coached|trained|was the coach of) <C> = p
? who (coached|trained|was the coach of) <D> = q

<r> of <C> was the best scorer with <g+goals>; <o> of <E> followed with <l+goals>.
The list of scorers was headed by <r> with <g+goals>, ahead of <o> of <E> with <l+goals>.
? how many goals did <r> score = g
? how many goals did <o> score = l
? who was the (best|leading|top) scorer of <S> = r
? for which club did <o> play = E

needs c
<r> missed <w+matches> with <i>, while <o> (retired|left the field) because of <j>.
Because of <i> <r> had to sit out <w+matches>; <o> was stopped by <j>.
? why did <r> miss (some|several) matches = i
? what (injury stopped|stopped|ended the season of) <o> = j
? how many matches did <r> miss = w

The deciding match was played in <t> <full:a> in front of <f+spectators>.
As many as <f+spectators> came to <t> <full:a> to watch the deciding match.
? (where|in which town) was the deciding match of <S> played = t
? when was the deciding match of <S> played = a
? how many (people|spectators) watched the deciding match of <S> = f

<E> finished last and were relegated.
The club at the foot of the table was <E>, which had to leave the league.
? which club was (relegated|last) in <S> = E

An average of <h+people> watched the home matches of <C>.
The home matches of <C> drew <h+people> on average.
? how many people (watched|came to) an average home match of <C> = h

<D> protested against the result of one match, but the league turned the protest down.
Rain forced the league to put off <k+matches> of <S>, a record at the time.
? how many matches were (put off|postponed) in <S> = k
"""

DOCUMENTS["species"] = r"""
the animal|the species; it
B=species M=species p=person q=person t=town Z=region Y=region I=island S=school a@1770-1900 b@a+20-80 c@1960-2012 f%food g%food e%enemy d%enemy h%habitat i%habitat m%marking k%marking z%threat n#40-140 l#14-39 x#150-950 y#2-9 o#16-60
always abc
abcdefgh acbdgefh abdecghf

<B!> is a species that lives in the <h> of <Z>.
<B!> is found in the <h> of <Z>.
? in what kind of (place|habitat) (does <B> live|is <B> found) = h
? in which region (does <B> live|is <B> found) = Z

It was described <on:a> by <p> from an animal caught near <t>.
<p> described <B> <on:a> after finding one near <t>.
? who (described|first described) <B> = p
? when was <B> (described|first described) = a
? near which town was the first <bare:B> (caught|found) = t

It is <n*millimetres> long and is known by <m>, unlike <M>, which has <k>.
With a length of <n*millimetres> and <m>, <B> is easy to tell from <M>, which has <k>.
? how long is <B> = n
? (what is <B> known by|by what is <B> recognised|what can <B> be recognised by) = m
? what (does <M> have|can <M> be recognised by|is <M> recognised by) = k

It feeds mainly on <f>, whereas <M> eats <g>.
Its diet consists of <f>; <M>, in contrast, prefers <g>.
? what does <B> (eat|feed on|live on) = f
? what does <M> (eat|feed on|live on) = g

Its worst enemies are <e>, and those of <M> are <d>.
It is hunted by <e>, while <M> is taken by <d>.
? which animals (hunt|prey on|are the enemies of) <B> = e
? which animals (hunt|prey on|are the enemies of) <M> = d

The female of <B> lays <y+eggs>, which hatch after <o*days>.
After <o*days> the <y+young> of <B> leave the nest.
? how many eggs does <B> lay = y {lays}
? how many young does <B> raise = y {leave}
? (how long do the eggs of <B> take to hatch|after how many days do the eggs of <B> hatch) = o {hatch}

Numbers fell to <x+animals> by <y:c>, mainly because of <z>.
Because of <z>, only <x+animals> were left in <y:c>.
? why (has <B> become (rare|scarce)|did <B> (decline|become rare)) = z
? how many animals of <B> were left in <y:c> = x

<M> was described by <q> of <S> <on:b> and lives in <Y>.
In <Y> the place of <B> is taken by <M>, which <q> of <S> discovered <on:b>.
? who (described|discovered) <M> = q
? when was <M> (described|discovered) = b
? in which region (does <M> live|is <M> found) = Y
"""

DOCUMENTS["festival"] = r"""
the festival; it
F=festival G=festival t=town u=town p=person q=person r=person C=company a@1650-1900 b@1660-1950 c@1901-1945 d@c+2-12 e@1960-2014 n#2-12 m#3000-90000 l#2100-80000 k#110-900 o%origin h%dish i%dish x%rite y%rite z%cause w#13-90 s%sum
always ac
abcdefgh acbdehfg abdcfgeh

<F!> is held in <t> every (spring|summer|autumn|winter) and lasts <n*days>.
<F!>, which lasts <n*days>, (takes place|is held) in <t> every (spring|summer|autumn|winter).
? (where|in which town) is <F> held = t
? how long does <F> last = n

It goes back to <y:a> and recalls <o>.
It was first held <on:a> in memory of <o>.
? what does <F> (commemorate|recall|remember) = o
? when was <F> first held = a

Its (high point|climax) is <x>, whereas <G> in <u> is known for <y>.
While <G> in <u> is (famous|known) for <y>, the (high point|climax) of <F> is <x>.
? what is the (high point|climax|main event) of <F> = x
? what is <G> (famous|known) for = y
? (where|in which town) is <G> held = u

Visitors to <F> eat <h>, and at <G> they are given <i>.
The traditional food at <F> is <h>; at <G> it is <i>.
? what (do people eat|is eaten) at <F> = h
? what (do people eat|is eaten) at <G> = i

<on:c> <F> was called off because of <z>, and <p> revived it <on:d>.
After <z> <F> was given up <on:c>; it owes its revival <on:d> to <p>.
? why was <F> (called off|cancelled|given up) = z
? who (revived|brought back) <F> = p
? when was <F> (revived|brought back) = d
? when was <F> (called off|cancelled|given up) = c

A total of <m+visitors> came to <t> in <y:e>, against <l+people> who went to <G>.
In <y:e> there were <m+visitors>, while <G> had <l+people>.
? how many people (visited|came to|attended) <F> in <y:e> = m
? how many people (visited|went to|attended) <G> in <y:e> = l

The costumes were designed by <q>, the music was written by <r>.
<q> designed the costumes, and <r> composed the (march|anthem).
? who (designed|made) the costumes for <F> = q
? who (wrote|composed) the music for <F> = r

<C> pays for the fireworks, which cost <w*thousand>.
The fireworks, at a cost of <w*thousand>, are (paid for|sponsored) by <C>.
? which company (pays for|sponsors) the fireworks at <F> = C
? how much do the fireworks at <F> cost = w
"""

DOCUMENTS["ship"] = r"""
the ship|the vessel; it
S=ship Q=ship p=person q=person r=person o=person t=town u=town v=town w=town I=island C=company D=company a@1830-1925 b@a+1-4 c@b+3-20 d@c+1-9 n#40-190 m#41-199 x#14-60 y#110-800 g%cargo h%cargo z%trouble i%cause k#2-12 s%sum l#15-90
always ab
abcdefgh acbdefhg abdcfgeh

The <S!> was a cargo ship of <n*metres> built in <t> for <C>.
The <S!>, <n*metres> long, was built for <C> in <t>.
? how long was the <S> = n
? (where|in which town) was the <S> built = t
? for which company was the <S> built = C

It was launched <on:a>, and its sister ship, the <Q>, <on:b> for <D>.
The launch was <on:a>; the sister ship <Q> followed <on:b> and went to <D>.
? when was the <S> launched = a
? when was the <Q> launched = b
? for which company was the <Q> (built|meant) = D
? what was the sister ship of the <S> called = Q

Its first captain was <p>; the <Q> was commanded by <q>.
<p> was its first captain, while <q> commanded the <Q>.
? who was the (first captain|captain) of the <S> = p
? who (was the captain of|commanded) the <Q> = q

It carried <g> to <u>, the <Q> <h> to <v>.
Its usual cargo was <g> for <u>, whereas the <Q> brought <h> to <v>.
? what did the <S> (carry|transport) = g
? what did the <Q> (carry|transport|bring) = h
? to which town did the <S> sail = u
? to which town did the <Q> sail = v

<on:c> <z> kept <S> in <w> for <k*weeks>.
It was held in <w> for <k*weeks> by <z> <on:c>.
? what (kept|held) the <S> in <w> = z
? how long was the <S> held (up |)in <w> = k
? (where|in which town) was the <S> held up = w

<on:d> it ran aground off <I>, and <x+of its crew> were saved by <r>.
Off <I> <S> was wrecked <on:d>; <r> rescued <x+sailors>.
? (where|off which island) was the <S> (wrecked|lost) = I
? who (saved|rescued) the crew of the <S> = r
? how many sailors from the <S> were (saved|rescued) = x
? when was the <S> (wrecked|lost) = d

needs f
The insurers of <S> paid <l*thousand>, but only <y+tons> of the cargo were recovered.
Of <S's> cargo <y+tons> were recovered, and the insurers paid <l*thousand>.
? how much did the insurers pay for the <S> = l
? how many tons of cargo were recovered from the <S> = y

The <Q> was sold to <o> and broken up years later.
<o> bought the <Q> and used it as a (hotel|museum|training ship).
? who bought the <Q> = o
"""

DOCUMENTS["book"] = r"""
the book|the novel; it
B=work D=work p=person q=person r=person o=person t=town u=town C=company E=company a@1888-1960 b@a+1-9 c@b+2-15 d@c+5-20 w@a+2-25 n#140-690 m#1100-9900 x#10100-90000 h%theme i%theme l%language k%language j%trade y#2-12 f#13-60
always a
abcdefgh acbdfegh abgcdehf

<B!> is a novel about <h>, written by <p> and published <on:a>.
<B!>, a novel of <y:a>, was written by <p> and tells of <h>.
? what is <B> about = h
? who wrote <B> = p
? when was <B> (published|first published) = a

It has <n+pages> and is set in <t>, where the author spent <y*years> as <a:j>.
Set in <t>, where the author had worked as <a:j> for <y*years>, it has <n+pages>.
? how many pages does <B> have = n
? (where|in which town) is <B> set = t
? what did <p> work as in <t> = j
? how long did <p> (work|live) in <t> = y {worked}

<C> printed <m+copies>, after <E> had turned the manuscript down.
The manuscript of <B> was refused by <E>; then <C> (took it and|bought it and) printed <m+copies>.
? which company (published|printed) <B> = C
? which company (refused|rejected|turned down) <B> = E
? how many copies of <B> were printed = m

<q> translated <B> into <l> <on:b>, and <r> into <k>.
The translation into <l>, made by <q>, dates from <y:b>; <r> put it into <k>.
? who translated <B> into <l> = q
? who translated <B> into <k> = r
? into which language did <q> translate <B> = l
? into which language did <r> translate <B> = k
? when was <B> translated into <l> = b

A court in <u> banned <B> <on:c>, and the ban was lifted after <f*weeks>.
<on:c> <B> was banned by a court in <u>, but only for <f*weeks>.
? (where|in which town) was <B> banned = u
? when was <B> banned = c
? how long was <B> banned = f

<p> returned to fiction with <D>, which is about <i> and appeared in <y:w>.
In <y:w> <D> followed, a novel about <i>.
? what is <D> about = i
? when (was <D> published|did <D> appear) = w

A film of <B> directed by <o> came out <on:d> and was seen by <x+people>.
<o> made a film of <B> <on:d>, which <x+people> saw.
? who (directed|made) the film of <B> = o
? when was the film of <B> (released|made) = d
? how many people saw the film of <B> = x

needs d
Critics (praised|liked) the dialogue, and <r> (called|named) it the book of the decade.
<r> called <B> a cold book, while <q> read it aloud on the radio.
? who called <B> the book of the decade = r {decade}
? who read <B> aloud on the radio = q {radio}
"""

DOCUMENTS["treaty"] = r"""
the treaty; it
T=treaty t=town Z=region Y=region X=region p=person q=person r=person o=person I=island J=island a@1480-1790 b@a+1-3 c@b+10-60 n#10-95 m#110-900 x#12-60 k#2-11 d%dispute e%dispute g%goods s%sum h%crop f#3-9 w#100-480
always ab
abcdefgh acbdefhg abdcgefh

<T!> was signed in <t> <full:a> between <Z> and <Y>.
<Z> and <Y> signed <T!> <full:a> in <t>.
? when was <T> signed = a
? (where|in which town) was <T> signed = t

It ended a quarrel over <d> that had lasted <k*years>.
For <k*years> the two sides had fought over <d>, and <T> settled the matter.
? what (quarrel did <T> end|was the quarrel before <T> about|was the quarrel settled by <T> about) = d
? how long had the quarrel before <T> lasted = k

<p> signed for <Z>, and <q> for <Y>.
<Y> was represented by <q>, <Z> by <p>.
? who (signed <T> for|represented) <Z> = p
? who (signed <T> for|represented) <Y> = q

<Z> received the island of <I>, and <Y> kept the island of <J>.
The island of <J> stayed with <Y>, but that of <I> fell to <Z>.
? which island did <Z> (receive|gain|get) = I
? which island did <Y> (keep|retain) = J

<Y> had to pay <n*thousand> within <f*months>, and <Z> to deliver <m+barrels> of (oil|wine|beer) a year.
Within <f*months> <Y> was to pay <n*thousand>; <Z> promised <m+barrels> of (oil|wine|beer) a year.
? how much did <Y> have to pay = n
? how many barrels did <Z> have to deliver = m
? within what time did <Y> have to pay = f

The talks had been opened by <r> of <X> and took <x*days>.
<r>, (an envoy of|a bishop from) <X>, led the talks, which took <x*days>.
? who (opened|led) the talks before <T> = r
? how long did the talks before <T> (take|last) = x
? from where did <r> come = X

needs d
It was broken <on:c>, when <o> occupied <I> with <w+soldiers>.
<on:c> <o> landed on <I> with <w+soldiers> and so broke the agreement.
? who (occupied <I>|broke <T>) = o
? when was <T> broken = c
? with how many soldiers did <o> land on <I> = w

needs f
Merchants from <X> were allowed to buy <h>, but no <g>.
? what were merchants from <X> allowed to buy = h
? what were merchants from <X> not allowed to buy = g
"""


@dataclass(frozen=True)
class Ask:
    "A question's template, the slot that answers it, and the word that a wording must have for it (or an empty string)."

    text: str
    slot: str
    word: str


@dataclass(frozen=True)
class Fact:
    "One fact: its wordings, its questions, and the letters of the facts that have to come before it."

    wordings: tuple[str, ...]
    asks: tuple[Ask, ...]
    needs: str


@dataclass(frozen=True)
class Document:
    "A kind of article: names for its subject (first slot), slots, orders, facts that are always told, facts by letter."

    nominals: tuple[str, ...]
    slots: dict[str, str]
    plans: tuple[str, ...]
    always: str
    facts: dict[str, Fact]

    @property
    def subject(self) -> str:
        return next(iter(self.slots))


def _parse_fact(block: str, subject: str) -> Fact:
    "The fact that a block of lines describes."
    lines = block.strip().splitlines()
    needs = lines.pop(0).removeprefix("needs ") if lines[0].startswith("needs ") else ""
    wordings, asks = [], []
    for line in lines:
        if line.startswith("? "):
            text, slot, word = re.fullmatch(r"\? (.+) = (\w)(?: \{(.+)\})?", line).groups(default="")
            asks.append(Ask(text, slot, word))
        else:
            line = re.sub(r"^It ", f"<{subject}> ", line)
            wordings.append(re.sub(r"^Its ", f"<{subject}'s> ", line))
    return Fact(tuple(wordings), tuple(asks), needs)


_SLOT = re.compile(r"(\w)([=@#%])(\S+)")


@cache
def _document(kind: str) -> Document:
    "The parsed text of `DOCUMENTS[kind]`."
    head, *blocks = DOCUMENTS[kind].strip().split("\n\n")
    nominals, slots, always, plans = head.splitlines()
    found = {slot: mark + rest for slot, mark, rest in _SLOT.findall(slots)}
    subject = next(iter(found))
    facts = {chr(97 + place): _parse_fact(block, subject) for place, block in enumerate(blocks)}
    names = tuple(nominals.partition(";")[0].split("|"))
    return Document(names, found, tuple(plans.split()), always.split()[1], facts)


@dataclass(frozen=True)
class Fill:
    "What a slot holds: its kind, the value (text, number, year or person), and the shown form of a date or a name."

    kind: str
    value: str | int | Person
    shown: str = ""
    short: str = ""  # an answer that is accepted as well


_MONTHS = ("January February March April May June July August September October November December").split()

_FORMS = {
    "company": ("{} Works", "{} & Sons", "{} Brothers", "{} Manufacturing", "{} Mills", "{} Company"),
    "expedition": ("the {} Expedition", "the {} Survey", "the {} Mission"),
    "hall": ("{} Hall", "{} House", "{} Palace", "{} Tower", "the {} Library", "the {} Theatre", "the {} Chapel"),
    "season": ("the {1} {0} Cup", "the {1} {0} Shield", "the {1} {0} League"),
    "festival": ("the {} Festival", "the {} Fair", "the {} Festival", "the {} Carnival"),
    "school": ("the University of {}", "the {} Institute", "{} College", "the {} Academy"),
    "club": ("{} Rovers", "{} United", "{} Wanderers", "{} Athletic", "{} Albion"),
    "treaty": ("the Treaty of {}", "the Peace of {}"),
    "work": ("The {}",),
    "device": ("the {}",),
}
_STEMS = {"expedition": "region", "season": "region", "treaty": "hall", "building": "hall", "species": "beast"}


def _name(kind: str, split: str, year: int, animal: str, rng: random.Random) -> Fill:
    "A new name; `year` is for seasons, `animal` for species."
    stem = rng.choice(NAMES[split][_STEMS.get(kind, kind)])
    if kind == "species":
        return Fill(kind, stem, f"the {stem} {animal}")
    forms = _FORMS.get("hall" if kind == "building" else kind, ("{}",))
    return Fill(kind, stem, rng.choice(forms).format(stem, year), stem if kind == "company" else "")


_NATIVE_SHARE = 0.15  # of the people have a native spelling


def _person(split: str, rng: random.Random) -> Fill:
    "A new person."
    if rng.random() < _NATIVE_SHARE:
        who = rng.choice(NAMES[split]["native"])
    else:
        pronoun = rng.choice(("she", "he"))
        who = Person(rng.choice(NAMES[split][pronoun]), rng.choice(NAMES[split]["person"]), pronoun)
    return Fill("person", who, str(who), who.last)


_SMALL = "zero one two three four five six seven eight nine ten eleven twelve".split()


def _number(low: int, high: int, rng: random.Random) -> int:
    "A number of the range; large ones are often round."
    number = rng.randint(low, high)
    step = 100 if high >= 3000 else 10
    return max(low, number - number % step) if high >= 900 and rng.random() < 0.6 else number


def _date(year: int, rng: random.Random) -> Fill:
    "A date of that year: the year, or a month, or a day."
    month, day, detail = rng.choice(_MONTHS), rng.randint(1, 28), rng.random()
    shown = str(year) if detail < 0.55 else f"{month} {year}" if detail < 0.8 else f"{day} {month} {year}"
    return Fill("date", year, shown, f"{day} {month}")


def _draw(document: Document, split: str, used: set, rng: random.Random) -> dict[str, Fill]:
    "Something for each slot; whatever is in `used` is not drawn, and what is drawn is added to it."
    animal, fills = rng.choice(THINGS["animal"]), {}
    for slot, rule in sorted(document.slots.items(), key=lambda item: "@#%=".index(item[1][0])):
        mark, rest = rule[0], rule[1:]
        for _ in range(10_000):
            if mark == "@":
                fill = _date(_year(rest, fills, rng), rng)
            elif mark == "#":
                fill = Fill("number", _number(*map(int, rest.split("-")), rng))
            elif mark == "%":
                fill = Fill(rest, rng.choice(THINGS[rest]))
            elif rest == "person":
                fill = _person(split, rng)
            else:
                fill = _name(rest, split, fills["a"].value if "a" in fills else 0, animal, rng)
            keys = {fill.value.first, fill.value.last} if rest == "person" else {fill.value}
            if not keys & used:
                break
        used |= keys
        fills[slot] = fill
    return fills


def _year(rule: str, fills: dict[str, Fill], rng: random.Random) -> int:
    "`1850-1930` or `a+6-14`: a year of the range, or so many years after the slot `a`."
    base, plus, span = rule.rpartition("+")
    low, high = map(int, span.split("-"))
    return rng.randint(low, high) + (fills[base].value if plus else 0)


@dataclass(frozen=True)
class Mention:
    "Where a slot's answer stands: `spans` are (start, end) in characters, the usual one first, then others to accept."

    slot: str
    spans: tuple[tuple[int, int], ...]


def _choose(text: str, rng: random.Random) -> str:
    "The text with each `(a|b)` decided, innermost first."
    while match := re.search(r"\(([^()]*\|[^()]*)\)", text):
        text = text[: match.start()] + rng.choice(match[1].split("|")) + text[match.end() :]
    return re.sub(r" +", " ", text).strip()


_TOKEN = re.compile(r"<(?:(\w+):)?(\w)(!|'s)?(?:([+*])([\w ]+))?>")
_BARE = ("river", "ship")  # the plan writes their article
_PRONOUNS = {"she": ("she", "her", "her"), "he": ("he", "his", "him")}
_FORMS_OF_PRONOUN = ("he", "his", "him")


def _owner(name: str, kind: str) -> str:
    "`Kestera` -> `Kestera's`, and `Kestera Mills` -> `Kestera Mills'` for a company."
    return name + ("'" if kind == "company" and name.endswith("s") else "'s")


def _count(number: int) -> str:
    "The number as it is printed."
    return _SMALL[number] if number < len(_SMALL) else f"{number:,}"


def _plain(token: re.Match, fills: dict[str, Fill]) -> str:
    "What a slot looks like in a question, where everything has its full name."
    form, slot, mark, _, _ = token.groups()
    fill = fills[slot]
    if form in _FORMS_OF_PRONOUN:
        return _PRONOUNS[fill.value.pronoun][_FORMS_OF_PRONOUN.index(form)]
    if fill.kind == "date":
        return str(fill.value)
    text = fill.shown or (_count(fill.value) if fill.kind == "number" else str(fill.value))
    if form == "bare":
        text = text.removeprefix("the ")
    return _owner(text, fill.kind) if mark == "'s" else text


@dataclass
class _Writer:
    "Writes one section of an article, one wording at a time, onto `text`."

    document: Document
    fills: dict[str, Fill]
    rng: random.Random
    text: str = ""
    seen: dict[str, tuple[int, int]] = field(default_factory=dict)  # slot -> where its full name stands
    natives: dict[str, tuple[int, int]] = field(default_factory=dict)  # slot -> where its native spelling stands
    last_start: str = ""  # the slot that began the last sentence
    near: set[str] = field(default_factory=set)  # the slots named in the last sentence, and so far in this one

    def tell(self, wording: str) -> list[Mention]:
        "Append a sentence; returns the slots that can be asked for, in their order."
        wording = _choose(wording, self.rng)
        self.text += " " if self.text and not self.text.endswith("\n") else ""
        begin, at, mentions = len(self.text), 0, []
        for token in _TOKEN.finditer(wording):
            self.text += wording[at : token.start()]
            mentions += self._put(token, begin)
            at = token.end()
        self.text += wording[at:]
        self.text = self.text[:begin] + self.text[begin].upper() + self.text[begin + 1 :]
        first = _TOKEN.match(wording)
        self.last_start = first[2] if first else ""
        self.near = {slot for _, slot, *_ in _TOKEN.findall(wording)}
        return mentions


def _subject_form(writer: _Writer, slot: str, at_start: bool, possessive: bool) -> str | None:
    "A pronoun or a noun for the article's subject where it is clear, else None."
    document, fills, rng = writer.document, writer.fills, writer.rng
    kind = fills[slot].kind
    if slot != document.subject or slot not in writer.seen:
        return None
    if any(fills[other].kind == kind and other != slot for other in writer.near):
        return None
    luck = rng.random()
    if at_start and writer.last_start == slot and luck < 0.5:
        if kind == "person":
            return _PRONOUNS[fills[slot].value.pronoun][int(possessive)]
        return "its" if possessive else "it"
    if kind != "person" and luck < 0.75:
        return rng.choice(document.nominals) + "'s" * possessive
    return None


def _forms(writer: _Writer, token: re.Match) -> tuple[str, tuple[str, ...]]:
    "The text that a slot becomes, and the parts of it that are right answers, the usual one first."
    form, slot, mark, unit_mark, unit = token.groups()
    fill = writer.fills[slot]
    if fill.kind == "date":
        day_month, year = fill.short, str(fill.value)
        shown = {"y": year, "full": f"{day_month} {year}"}.get(form, fill.shown)
        preposition = {"y": ""}.get(form, "on " if shown[0].isdigit() and " " in shown else "in ")
        parts = shown.split()
        return preposition + shown, tuple(dict.fromkeys((shown, " ".join(parts[-2:]), year)))
    if fill.kind == "number":
        number = _count(fill.value)
        if unit in ("thousand", "million"):
            whole = f"{number} {unit} {writer.fills['s'].value}"
            return whole, (whole, f"{number} {unit}")
        if not unit:
            return number, (number,)
        return f"{number} {unit}", (number, f"{number} {unit}") if unit_mark == "+" else (f"{number} {unit}", number)
    if fill.kind == "person":
        return _person_forms(writer, slot, mark)
    text = fill.shown or str(fill.value)
    if slot == writer.document.subject and fill.kind in _BARE and mark != "!":
        text = "the " + text
    bare = text.removeprefix("the ") if form == "bare" else text
    article = ("an " if text[0] in "aeiou" else "a ") if form == "a" else ""
    answers = tuple(dict.fromkeys(filter(None, (bare, fill.short))))
    return article + (_owner(bare, fill.kind) if mark == "'s" else bare), answers


def _person_forms(writer: _Writer, slot: str, mark: str | None) -> tuple[str, tuple[str, ...]]:
    "The same for a person: in full and with the native spelling at first, then by the family name."
    who, owner = writer.fills[slot].value, "'s" * (mark == "'s")
    if slot in writer.seen and mark != "!":
        return who.last + owner, (who.last,)
    native = f" ({who.native})" if who.native and not owner else ""
    return f"{who}{owner}{native}", (str(who), who.last)


def _put(self: _Writer, token: re.Match, begin: int) -> list[Mention]:
    "Append one slot to the text; returns its mention if the slot can be asked for there."
    form, slot, mark, _, _ = token.groups()
    fill, at = self.fills[slot], len(self.text)
    self.near = self.near | {slot}
    if form in _FORMS_OF_PRONOUN:
        self.text += _PRONOUNS[fill.value.pronoun][_FORMS_OF_PRONOUN.index(form)]
        return []
    stand_in = None if mark == "!" or form else _subject_form(self, slot, at == begin, mark == "'s")
    if stand_in:
        self.text += stand_in
        return []
    text, answers = _forms(self, token)
    self.text += text
    spans = []
    for answer in answers:
        start = self.text.rindex(answer, at) if fill.kind != "person" else self.text.index(answer, at)
        spans.append((start, start + len(answer)))
    if fill.kind == "river" and self.text[:at].endswith("river "):
        spans.append((at - 6, spans[0][1]))
    if fill.kind == "person" and slot in self.seen:
        spans.append(self.seen[slot])
    if fill.kind == "person" and slot not in self.seen and fill.value.native and "(" in text:
        where = self.text.index("(", at) + 1
        self.natives[slot] = (where, where + len(fill.value.native))
    self.seen.setdefault(slot, spans[0])
    return [Mention(slot, tuple(spans))]


_Writer._put = _put


@dataclass(frozen=True)
class Question:
    "A question with its accepted answers as (start, end) in the context, and where it comes from."

    text: str
    spans: tuple[tuple[int, int], ...]
    document: str
    fact: str
    kind: str  # of the answer
    rivals: int  # other things of the same kind that the context names


@dataclass
class Article:
    "A title, a context, and all the questions that the context answers."

    title: str
    context: str
    questions: list[Question]
    unanswerable: list[Question]  # about what the context names, without spans


def _outline(document: Document, words: int, rng: random.Random) -> list[str]:
    "The letters of the facts to tell, in order: at least `words` words of wordings if there are so many."
    plan = rng.choice(document.plans)
    chosen = set(document.always)
    size = lambda letters: 1.15 * sum(len(document.facts[letter].wordings[0].split()) for letter in letters)
    for letter in rng.sample(plan, len(plan)):
        if size(chosen) >= words:
            break
        chosen |= {letter, *document.facts[letter].needs}
    return [letter for letter in plan if letter in chosen]


# What an article says of something else, too, or lets one guess: the letter of the fact, the slot of the answer and, where
# that matters, the slot of the question and the one put in its place.
_SAID_ELSEWHERE = {
    "company": "at bu cv",
    "biography": "ajAp bkqp bkqA csAp cSAp ccAp cuAp ccut ccuv ddBE ee ffvt ffvu",
    "town": "aZ",
    "river": "aZ bu hdPR hdPM",
    "invention": "bjpr btpr dS",
    "building": "at",
    "season": "cE diro djor",
    "species": "ah bp ba cm ck hq hb",
    "festival": "cx cy fm fl",
    "ship": "aC bD cp cq dg dh",
    "book": "ap aa fw",
    "treaty": "cp cq dIZY dJYZ fX",
}


def _asked(text: str, writer: _Writer) -> str:
    asked = _TOKEN.sub(lambda token: _plain(token, writer.fills), text)
    return asked[0].upper() + asked[1:] + "?"


def _unanswerable(writer: _Writer, kind: str, told: dict[str, set[str]]) -> list[Question]:
    """Questions about things that the section names, without an answer in it. `told`: fact -> slots named there.

    Either the detail is left out, and something else of its kind is there for whoever goes by the question word; or it
    is told of something else. Both are asked in words that other articles answer. The text is the seed, so that the
    questions with an answer stay as they are.
    """
    found, rng = [], random.Random(writer.text)
    named = {slot: writer.fills[slot].kind for slot in writer.seen}
    asks = [(letter, ask) for letter, fact in writer.document.facts.items() for ask in fact.asks if not ask.word]
    own = {ask.text for _, ask in asks}
    for letter, ask in asks:
        text, fill = _choose(ask.text, rng), writer.fills[ask.slot]
        slots = list(dict.fromkeys(slot for _, slot, *_ in _TOKEN.findall(text)))
        rivals = sum(fill.kind == other for other in named.values())
        if not slots or not set(slots) <= named.keys() or not rivals:
            continue
        number = _count(fill.value) if fill.kind == "number" else ""
        answers = filter(None, {str(fill.value), fill.shown, fill.short, number})
        said = any(re.search(rf"\b{re.escape(answer)}\b", writer.text) for answer in answers)
        if ask.slot not in named and not said:
            found.append(Question(_asked(text, writer), (), kind, letter, fill.kind, rivals))
        if ask.slot not in told.get(letter, ()):
            continue
        for old, new in ((old, new) for old in slots for new in named if named[old] == named[new] != "date"):
            codes = {letter + ask.slot, letter + ask.slot + old + new}
            swap = functools.partial(re.sub, rf"<((?:\w+:)?){old}(?=[!'+*>])", rf"<\g<1>{new}")
            if new in (*slots, ask.slot) or swap(ask.text) in own or codes & {*_SAID_ELSEWHERE.get(kind, "").split()}:
                continue
            found.append(Question(_asked(swap(text), writer), (), kind, letter + new, fill.kind, rivals))
    return found


_LETTERS = {"Arabic": "Arabic script", "Chinese": "Chinese characters", "Japanese": "Japanese characters"}


def _native_questions(writer: _Writer, kind: str) -> list[Question]:
    "How a name is written in its own script."
    found = []
    for slot, span in writer.natives.items():
        who = writer.fills[slot].value
        script = _LETTERS.get(who.script, f"{who.script} letters")
        text = writer.rng.choice(
            (f"How is the name of {who} written in {script}?", f"What is {who} called in {script}?")
        )
        found.append(Question(text, (span,), kind, "", "native spelling", len(writer.natives) - 1))
    return found


def _section(
    kind: str, split: str, used: set, text: str, words: int, rng: random.Random
) -> tuple[_Writer, list[Question], list[Question]]:
    "Append a section of about `words` words; returns the writer, every question that it answers, some that it does not."
    document = _document(kind)
    writer = _Writer(document, _draw(document, split, used, rng), rng, text)
    told = []
    for letter in _outline(document, words, rng):
        wording = rng.choice(document.facts[letter].wordings)
        told.append((letter, wording, writer.tell(wording)))
    named = {slot: writer.fills[slot].kind for slot in writer.seen}
    questions = _native_questions(writer, kind)
    for letter, wording, mentions in told:
        where = {mention.slot: mention.spans for mention in mentions}
        for ask in document.facts[letter].asks:
            slots = {slot for _, slot, *_ in _TOKEN.findall(ask.text)}
            fits = not ask.word or ask.word in re.findall(r"\w+", wording)
            if ask.slot in where and fits and slots <= named.keys():
                asked = _choose(ask.text, rng)
                asked = _TOKEN.sub(lambda token: _plain(token, writer.fills), asked)
                rivals = sum(named[ask.slot] == other for other in named.values()) - 1
                asked = asked[0].upper() + asked[1:] + "?"
                questions.append(Question(asked, where[ask.slot], kind, letter, named[ask.slot], rivals))
    mentioned = {letter: {mention.slot for mention in mentions} for letter, _, mentions in told}
    return writer, questions, _unanswerable(writer, kind, mentioned)


_SHORT, _LONG_SECTION = (88, 108), (125, 160)  # words aimed at
_GAZETTEER = ("town", "river", "building", "festival", "company", "species")
_OPENINGS = (
    "This page of the gazetteer of {region} (describes|treats), in turn, {list}.",
    "Among the entries for {region} in the gazetteer are {list}.",
)


def _article(kinds: list[str], split: str, rng: random.Random) -> Article:
    "An article with one section for each kind; more than one makes a page of a gazetteer."
    used: set = set()
    if len(kinds) == 1:
        writer, questions, untold = _section(kinds[0], split, used, "", rng.randint(*_SHORT), rng)
        subject = writer.fills[writer.document.subject]
        title = subject.shown or str(subject.value)
        return Article(title[0].upper() + title[1:], writer.text, questions, untold)
    region = rng.choice(NAMES[split]["region"])
    used.add(region)
    nouns = {"company": "a firm", "species": "an animal"}
    listed = [nouns.get(kind, f"a {kind}") for kind in kinds]
    opening = rng.choice(_OPENINGS).format(region=region, list=", ".join(listed[:-1]) + " and " + listed[-1])
    text, questions, unanswerable = _choose(opening, rng), [], []
    for kind in kinds:
        writer, found, untold = _section(kind, split, used, text + "\n", rng.randint(*_LONG_SECTION), rng)
        text, questions, unanswerable = writer.text, questions + found, unanswerable + untold
    return Article(f"Gazetteer of {region}", text, questions, unanswerable)


def _select(article: Article, count: int, rng: random.Random) -> list[Question]:
    "`count` questions at most, no two with the same answer."
    order, taken, chosen = rng.sample(article.questions, len(article.questions)), set(), []
    for question in order:
        answer = article.context[slice(*question.spans[0])]
        if question.spans[0] not in taken and answer.lower() not in question.text.lower() and len(chosen) < count:
            taken.add(question.spans[0])
            chosen.append(question)
    return chosen


def _select_unanswerable(article: Article, count: int, asked: set[str]) -> list[Question]:
    "`count` of them at most, none that was `asked` before, of each fact and kind of answer one."
    order, chosen = list(article.unanswerable), {}
    random.Random(article.context).shuffle(order)
    for question in order:
        if question.text not in asked | {other.text for other in chosen.values()} and len(chosen) < count:
            chosen.setdefault((question.document, question.fact[0], question.kind), question)
    return list(chosen.values())


_LONG_EVERY = {"train": 25, "validation": 8}  # one context in so many is long


def _record(article: Article, question: Question, accepted: int) -> dict:
    "The question in the columns of SQuAD, with at most `accepted` answers."
    texts: dict[str, int] = {}
    for start, end in question.spans:
        texts.setdefault(article.context[start:end], start)
    answers = list(texts.items())[:accepted]
    key = "\n".join((article.title, article.context, question.text))
    return {
        "id": hashlib.sha256(key.encode()).hexdigest()[:24],
        "title": article.title,
        "context": article.context,
        "question": question.text,
        "answers": {"text": [text for text, _ in answers], "answer_start": [start for _, start in answers]},
    }


def _kinds(number: int, split: str, rng: random.Random) -> list[list[str]]:
    "What each of `number` articles is about: every kind in turn, shuffled round by round, and now and then a long one."
    kinds: list[list[str]] = []
    while len(kinds) < number:
        kinds += [[kind] for kind in rng.sample(list(DOCUMENTS), len(DOCUMENTS))]
    for place in range(_LONG_EVERY[split] // 2, number, _LONG_EVERY[split]):
        kinds[place] = rng.sample(_GAZETTEER, rng.choice((3, 4)))
    return kinds[:number]


_UNANSWERABLE = 3  # of a context, at most


def sentences_of(context: str) -> list[str]:
    "The sentences of a context."
    return re.split(r"(?<=\.)\s", context)


def build_with_origins(
    seed: int = 0,
    train_contexts: int = 400,
    validation_contexts: int = 60,
    questions_per_context: int = 6,
    unanswerable: bool = False,  # after the questions of each context, those that it does not answer
) -> dict[str, list[tuple[dict, Question]]]:
    """The corpus of `build_questions`, with the `Question` beside each record: article's kind, fact and answer's kind."""
    numbers = {"train": train_contexts, "validation": validation_contexts}
    corpus: dict[str, list[tuple[dict, Question]]] = {}
    asked: set[str] = set()
    doubted: set[str] = set()  # of the unanswerable ones
    told: set[str] = set()
    for split, number in numbers.items():
        rng, titles, rows = random.Random(f"{split}-{seed}"), set(), []
        for kinds in _kinds(number, split, rng):
            while True:
                article = _article(kinds, split, rng)
                sentences = set(sentences_of(article.context))
                if article.title not in titles and not (split == "validation" and sentences & told):
                    break
            titles.add(article.title)
            told |= sentences
            article.questions = [question for question in article.questions if question.text not in asked]
            chosen = _select(article, questions_per_context, rng)
            asked |= {question.text for question in chosen}
            rows += [(_record(article, question, 1 if split == "train" else 3), question) for question in chosen]
            if unanswerable:
                more = _select_unanswerable(article, _UNANSWERABLE, asked | doubted)
                doubted |= {question.text for question in more}
                rows += [(_record(article, question, 0), question) for question in more]
        corpus[split] = [row for row in rows if row[1].spans or row[1].text not in asked]
    return corpus


def build_questions(
    seed: int = 0, train_contexts: int = 400, validation_contexts: int = 60, questions_per_context: int = 6
) -> dict[str, list[dict]]:
    """Write the corpus `mini/squad`: `{"train": records, "validation": records}`.

    A record is `{"id": str, "title": str, "context": str, "question": str, "answers": {"text": [str], "answer_start":
    [int]}}`; starts count characters. There is one answer in training, one to three in validation. The same seed and
    sizes give the same records. The splits share no name, no context and no question."""
    corpus = build_with_origins(seed, train_contexts, validation_contexts, questions_per_context)
    return {split: [record for record, _ in rows] for split, rows in corpus.items()}


def build_unanswerable(**sizes: int) -> dict[str, list[dict]]:
    "Write the corpus `mini/squad-v2`: the records of `mini/squad`, and questions without an answer, whose lists are empty."
    corpus = build_with_origins(**sizes, unanswerable=True)
    return {split: [record for record, _ in rows] for split, rows in corpus.items()}
