from __future__ import annotations
import pytest, re
from django.urls import get_resolver, URLPattern, URLResolver
from django.test import Client as Http
from tests.people import *
from tests import people
from tests.factories import *
from helpdesk.accounts.models import User
def walk(patterns, prefix=''):
    for p in patterns:
        if isinstance(p, URLResolver): yield from walk(p.url_patterns, prefix+str(p.pattern))
        else: yield prefix+str(p.pattern), p
HUGE=['9'*19,'9'*30,'0','9'*4400]
VALS=['9'*5000,'²','\x00','-1','9'*25,'٣'*30,"' OR 1=1",'new-²','%s','{x}','a'*3000,'1,2','../../','%0d%0aSet-Cookie: a=b']
PARAMS=['q','cursor','lane','group','team','account','agent','client','status','priority','due','sort','view','ticket','tickets','lanes','have','moves','events','in','macro','kind','page','show','whose','at','filter','query','typed','metric','period','from','to','by','value','field','pick','job','file','public_file','minutes','back','next','window','before','upto','subject','contact','type','site','text','time','marker','name','email','role','off','url','body','to','cc','base','urgency','impact']
@pytest.mark.django_db
def test_fuzz():
    import logging; logging.disable(logging.CRITICAL)
    t=make_ticket()
    make_agent(); make_team()
    bad={}
    for role in ('admin','client'):
        u=User.objects.create_user(f'{role}@x.test','x'*12,name=role,role=role)
        if role=='client':
            c=t.contact or make_contact(t.client); c.user=u; c.sees_company=True; c.save()
        http=Http(raise_request_exception=False); http.force_login(u)
        for pat,p in walk(get_resolver().url_patterns):
            if 'accounts/' in pat or pat.startswith('^'): continue
            def fill(h):
                s=re.sub(r'<int:\w+>',h,pat)
                s=re.sub(r'<slug:field>','status',s); s=re.sub(r'<slug:name>','head' if 'part' in s else 'subject',s); s=re.sub(r'<slug:way>','next',s)
                return '/'+re.sub(r'<(slug|str):\w+>','abcdefgh',s)
            urls={fill(str(t.pk))}|({fill(h) for h in HUGE} if '<int' in pat else set())
            for url in urls:
                for hx in ({},{'HTTP_HX_REQUEST':'true'}):
                    for m in ('get','post'):
                        r=getattr(http,m)(url,**hx)
                        if r.status_code>=500: bad[(role,m,pat,len(url)>200 and 'huge' or url)]=1
            if role=='admin':
              url=fill(str(t.pk))
              for v in VALS:
                for m in ('get','post'):
                    for params in ({k:v for k in PARAMS},):
                        r=getattr(http,m)(url,params)
                        if r.status_code>=500: bad[(role,m,pat,'params',v[:20])]=1
                if v in VALS[:5]:
                  for k in PARAMS:
                    r=http.get(url,{k:v})
                    if r.status_code>=500: bad[(role,'get',pat,k,v[:20])]=1
                    if 'board' in pat or 'bulk' in pat or 'undo' in pat or 'tie' in pat:
                        r=http.post(url,{k:v})
                        if r.status_code>=500: bad[(role,'post',pat,k,v[:20])]=1
    for b in bad: print(b)
    print(len(bad))
